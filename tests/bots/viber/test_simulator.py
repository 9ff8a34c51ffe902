"""The stand-in is as strict as Viber, whoever calls it."""

from typing import Any

import aiohttp
import msgspec
import pytest

from tests.bots.viber.pair import ANNA, Pair, opened_pair

SENDER = {"name": "Shop"}
TEXT: dict[str, Any] = {"type": "text", "text": "hi", "sender": SENDER}
KEY = {"Text": "Yes", "ActionBody": "/yes"}


async def post(pair: Pair, method: str, body: object, token: str | None = None) -> Any:
    """Call a method with our token, unless another is given. Returns the body of the response."""
    headers = {"X-Viber-Auth-Token": token or pair.server.account.auth_token.reveal()}
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{pair.url}/viber/{method}", data=data, headers=headers) as reply,
    ):
        assert reply.status == 200
        return await reply.json()


def keyboard(*keys: object, **fields: object) -> dict[str, Any]:
    return TEXT | {"keyboard": {"Type": "keyboard", "Buttons": list(keys), **fields}}


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (TEXT, 0),
        (keyboard(KEY), 0),
        (keyboard(*[KEY] * 24), 0),
        (b"{", 3),
        ({"text": "hi", "sender": SENDER}, 4),
        ({"type": "text", "text": "hi"}, 4),
        ({"type": "text", "sender": SENDER}, 4),
        (TEXT | {"type": "hologram"}, 3),
        (TEXT | {"text": "x" * 7001}, 3),
        (TEXT | {"text": "🙂" * 3501}, 3),
        (TEXT | {"sender": {"name": "x" * 29}}, 3),
        (TEXT | {"sender": {}}, 4),
        (TEXT | {"tracking_data": "x" * 4001}, 3),
        (TEXT | {"junk": "x" * 30_000}, 3),
        (TEXT | {"min_api_version": 0}, 3),
        ({"type": "picture", "sender": SENDER}, 4),
        ({"type": "picture", "sender": SENDER, "media": "https://shop.ru/a.jpg"}, 0),
        ({"type": "picture", "sender": SENDER, "media": "https://shop.ru/a.bmp"}, 3),
        ({"type": "picture", "sender": SENDER, "media": "https://shop.ru/a.jpg", "text": "x" * 769}, 3),
        ({"type": "video", "sender": SENDER, "media": "https://shop.ru/a.mp4"}, 4),
        ({"type": "video", "sender": SENDER, "media": "https://shop.ru/a.mp4", "size": 26_000_001}, 3),
        ({"type": "file", "sender": SENDER, "media": "https://shop.ru/a.pdf", "size": 5}, 4),
        ({"type": "file", "sender": SENDER, "media": "https://shop.ru/a.pdf", "size": 5, "file_name": "x" * 257}, 3),
        ({"type": "url", "sender": SENDER, "media": "shop"}, 3),
        ({"type": "url", "sender": SENDER, "media": "https://shop.ru/" + "x" * 2000}, 3),
        ({"type": "contact", "sender": SENDER}, 4),
        ({"type": "contact", "sender": SENDER, "contact": {"name": "x" * 29, "phone_number": "+7999"}}, 3),
        ({"type": "location", "sender": SENDER, "location": {"lat": "55.7"}}, 4),
        ({"type": "sticker", "sender": SENDER, "sticker_id": "smile"}, 3),
        ({"type": "rich_media", "sender": SENDER, "min_api_version": 2}, 4),
        ({"type": "rich_media", "sender": SENDER, "rich_media": {"Type": "rich_media", "Buttons": [KEY]}}, 3),
        (keyboard(KEY | {"ActionType": "open-url", "ActionBody": "shop"}), 3),
        (keyboard(KEY | {"ActionType": "open-url", "ActionBody": "https://shop.ru"}), 0),
        (keyboard(KEY | {"BgColor": "purple"}), 3),
        (keyboard(), 3),
        (keyboard(*[KEY] * 25), 3),
        (keyboard({"Text": "Yes"}), 4),
        (keyboard(KEY | {"Text": "x" * 251}), 3),
        (keyboard(KEY | {"ActionType": "explode"}), 3),
        (keyboard(KEY | {"Columns": 7}), 3),
        (keyboard(KEY, Type="piano"), 3),
    ],
)
async def test_what_it_takes_and_what_it_refuses(message: Any, status: int) -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        request = message if isinstance(message, bytes) else message | {"receiver": pair.anna.user}
        answer = await post(pair, "send_message", request)
        assert answer["status"] == status, answer
        assert len(pair.server.accepted) == (status == 0)
        if status == 0:
            assert answer["message_token"] > 2**53
            assert answer["billing_status"] == 1


async def test_who_is_to_get_it() -> None:
    async with opened_pair() as pair:
        assert (await post(pair, "send_message", TEXT))["status"] == 4
        assert (await post(pair, "broadcast_message", TEXT))["status"] == 4
        many = TEXT | {"broadcast_list": [str(number) for number in range(301)]}
        assert (await post(pair, "broadcast_message", many))["status"] == 3
        pair.server.may_broadcast = False
        assert (await post(pair, "broadcast_message", TEXT | {"broadcast_list": ["a"]}))["status"] == 20


@pytest.mark.parametrize(
    "method", ["send_message", "broadcast_message", "set_webhook", "get_account_info", "get_user_details", "get_online"]
)
async def test_it_serves_only_its_account(method: str) -> None:
    async with opened_pair() as pair:
        webhook = pair.server.webhook_url
        assert (await post(pair, method, TEXT | {"url": ""}, token="guess"))["status"] == 2
        assert pair.server.webhook_url == webhook


async def test_a_webhook_of_other_events() -> None:
    async with opened_pair() as pair:
        request = {"url": pair.server.webhook_url, "event_types": ["seen"]}
        assert (await post(pair, "set_webhook", request))["status"] == 0
        await pair.subscribers(ANNA)
        await pair.send()
        await pair.server.quiet()
        assert [event.id.split(":")[1] for event in pair.events] == ["seen"]
        assert (await post(pair, "set_webhook", request | {"event_types": ["all"]}))["status"] == 3


async def test_throttling() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        pair.server.faults.per_second = 1
        request = TEXT | {"receiver": pair.anna.user}
        statuses = [(await post(pair, "send_message", request))["status"] for _ in range(2)]
        assert statuses == [0, 12]

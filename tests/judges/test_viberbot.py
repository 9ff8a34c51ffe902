"""viberbot as a bot of Viber uses it: https://developers.viber.com/docs/api/python-bot-api/."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from viberbot import Api
from viberbot.api import viber_requests as vr
from viberbot.api.bot_configuration import BotConfiguration
from viberbot.api.messages import (
    ContactMessage,
    FileMessage,
    KeyboardMessage,
    LocationMessage,
    PictureMessage,
    RichMediaMessage,
    StickerMessage,
    TextMessage,
    URLMessage,
    VideoMessage,
)
from viberbot.api.messages.data_types.contact import Contact
from viberbot.api.messages.data_types.location import Location

from tests.judges.bench import Bench, opened_bench

KEYBOARD = {
    "Type": "keyboard",
    "Buttons": [
        {"Columns": 3, "Rows": 1, "Text": "Yes", "ActionType": "reply", "ActionBody": "yes", "BgColor": "#f6f7f9"},
        {"Columns": 3, "Rows": 1, "Text": "Site", "ActionType": "open-url", "ActionBody": "https://shop.ru/"},
        {"Text": "My number", "ActionType": "share-phone", "ActionBody": "phone"},
    ],
}
CAROUSEL = {
    "Type": "rich_media",
    "ButtonsGroupColumns": 6,
    "ButtonsGroupRows": 7,
    "BgColor": "#FFFFFF",
    "Buttons": [
        {
            "Columns": 6,
            "Rows": 6,
            "ActionType": "open-url",
            "ActionBody": "https://shop.ru/",
            "Image": "https://a.ru/1.png",
        },
        {"Columns": 6, "Rows": 1, "ActionType": "reply", "ActionBody": "this", "Text": "This one"},
    ],
}
PICTURE = "https://shop.ru/a.jpg"


class Bot:
    """viberbot's client, whose blocking calls run in a thread."""

    def __init__(self, bench: Bench) -> None:
        token = bench.account.auth_token.reveal()
        self.api = Api(BotConfiguration(name="Shop", avatar=PICTURE, auth_token=token))
        self.api._request_sender._viber_bot_api_url = bench.url

    async def call(self, method: Callable[..., Any], *values: Any) -> Any:
        return await asyncio.to_thread(method, *values)

    async def send(self, user: str, *messages: Any) -> Any:
        return await self.call(self.api.send_messages, user, list(messages))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench("viber") as bench:
        bench.answer = ""
        yield bench


@pytest.fixture
def bot(bench: Bench) -> Bot:
    return Bot(bench)


async def requests(bench: Bench, bot: Bot) -> list[Any]:
    """Return the webhooks so far as viberbot's own types; their signatures have to be valid."""
    calls = await bench.taken()
    assert all(bot.api.verify_signature(call.body, call.headers["x-viber-content-signature"]) for call in calls)
    return [bot.api.parse_request(call.body) for call in calls]


async def test_every_type_of_message_is_sent_and_shown(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    tokens = await bot.send(
        anna,
        TextMessage(text="Hello", tracking_data="n1", keyboard=KEYBOARD),
        PictureMessage(media=PICTURE, text="Look"),
        VideoMessage(media="https://shop.ru/a.mp4", size=1000, duration=7),
        FileMessage(media="https://shop.ru/a.pdf", size=1000, file_name="a.pdf"),
        URLMessage(media="https://shop.ru/"),
        ContactMessage(contact=Contact(name="Boris", phone_number="+79990001133")),
        LocationMessage(location=Location(lat=55.75, lon=37.62)),
        StickerMessage(sticker_id=46105),
        RichMediaMessage(rich_media=CAROUSEL, min_api_version=7, alt_text="Choose"),
        KeyboardMessage(keyboard=KEYBOARD),
    )
    bubbles = bench.server.phone(anna).screen[-10:]
    assert [bubble.id for bubble in bubbles] == [f"{anna}/{token}" for token in tokens]
    assert [bubble.text or bubble.media for bubble in bubbles[:7]] == [
        "Hello",
        "Look",
        "https://shop.ru/a.mp4",
        "https://shop.ru/a.pdf",
        "https://shop.ru/",
        "Boris +79990001133",
        "55.75, 37.62",
    ]
    assert [button.text for button in bubbles[-1].buttons] == ["Yes", "Site", "My number"]


async def test_what_people_do_is_read(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    (token,) = await bot.send(anna, TextMessage(text="Deliver?", keyboard=KEYBOARD))
    await bench.server.press(anna, f"{anna}/{token}", "Yes")
    await bench.server.unsubscribe(anna)
    await bench.server.subscribe(anna)
    delivered, seen, reply, unsubscribed, subscribed = await requests(bench, bot)
    assert isinstance(delivered, vr.ViberDeliveredRequest)
    assert isinstance(seen, vr.ViberSeenRequest)
    assert (delivered.message_token, seen.message_token) == (token, token)
    assert (type(reply), reply.message.text, reply.sender.name) == (vr.ViberMessageRequest, "yes", "Anna")
    assert (type(unsubscribed), unsubscribed.user_id) == (vr.ViberUnsubscribedRequest, anna)
    assert (type(subscribed), subscribed.user.id) == (vr.ViberSubscribedRequest, anna)


async def test_a_chat_is_opened_by_a_link_and_welcomed(bench: Bench, bot: Bot) -> None:
    user = bench.server.user_of("+79990001133")
    bench.server.phone(user, "Boris")
    bubble = await bench.server.open_chat(user, "CODE")
    (started,) = await requests(bench, bot)
    assert (type(started), started.context, started.user.name, started.subscribed) == (
        vr.ViberConversationStartedRequest,
        "CODE",
        "Boris",
        False,
    )
    assert bubble is None


async def test_a_failure_comes_later(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    bench.server.reject_later("no such file")
    (token,) = await bot.send(anna, TextMessage(text="one"))
    (failed,) = await requests(bench, bot)
    assert (type(failed), failed.message_token, failed.desc) == (vr.ViberFailedRequest, token, "no such file")


async def test_the_webhook_is_set_and_taken_away(bench: Bench, bot: Bot) -> None:
    assert "seen" in await bot.call(bot.api.set_webhook, bench.webhook_url, ["seen", "delivered"])
    assert [request.event_type for request in await requests(bench, bot)] == ["webhook"]
    assert (await bot.call(bot.api.get_account_info))["webhook"] == bench.webhook_url
    await bot.call(bot.api.unset_webhook)
    assert (await bot.call(bot.api.get_account_info))["webhook"] == ""


async def test_people_are_looked_up(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    (online,) = await bot.call(bot.api.get_online, [anna])
    assert (online["id"], online["online_status_message"]) == (anna, "online")
    for _ in range(2):
        assert (await bot.call(bot.api.get_user_details, anna))["name"] == "Anna"
    with pytest.raises(Exception, match="failed with status: 12"):
        await bot.call(bot.api.get_user_details, anna)


@pytest.mark.parametrize("status", [2, 6, 7, 12])
async def test_a_refusal_is_an_exception_with_its_status(bench: Bench, bot: Bot, status: int) -> None:
    anna = await bench.start()
    bench.server.faults.fail(status)
    with pytest.raises(Exception, match=f"failed with status: {status}, message: "):
        await bot.send(anna, TextMessage(text="hi"))


async def test_what_breaks_vibers_limits_is_refused(bench: Bench, bot: Bot) -> None:
    anna, key = await bench.start(), {"Text": "Site", "ActionType": "open-url", "ActionBody": "shop"}
    for message in (
        TextMessage(text="x" * 7001),
        TextMessage(text="hi", keyboard={"Type": "keyboard", "Buttons": [key]}),
        PictureMessage(media="https://shop.ru/a.bmp", text=""),
        RichMediaMessage(rich_media=CAROUSEL),
    ):
        with pytest.raises(Exception, match="failed with status: 3"):
            await bot.send(anna, message)
    assert bench.server.accepted == []

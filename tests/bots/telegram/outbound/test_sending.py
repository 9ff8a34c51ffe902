"""Our messages, over the wire: what arrives, and what each kind of failure means."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from quart import Quart, Response

from bots.telegram.outbound.sending import Sender
from bots.telegram.simulator.checks.refusals import ERRORS
from bots.wire.wire import LONGEST
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, SendError, Stopped, Throttled, Unavailable
from gateway.domain.model.nouns import Button, Content, Media, TemplateMessage
from tests.bots.telegram.conftest import Pair
from tests.support.http.serving import free_port, served

SEND_ERRORS: dict[str, type[SendError]] = {
    "400": Refused,
    "400-peer": Refused,
    "400-rights": Refused,
    "401": Misconfigured,
    "403": Stopped,
    "403-start": Stopped,
    "403-gone": Stopped,
    "403-kicked": Stopped,
    "404": Misconfigured,
    "409": Misconfigured,
    "413": Refused,
    "429": Throttled,
    "429-bare": Throttled,
    "500": Ambiguous,
    "502": Ambiguous,
}

TYPES = {
    "image": "photo",
    "video": "video",
    "video_note": "video_note",
    "animation": "animation",
    "audio": "audio",
    "voice": "voice",
    "document": "document",
    "sticker": "sticker",
    "hologram": "document",
}


@contextmanager
def expecting_failure(error: type[SendError], pair: Pair, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that the code inside fails in exactly this way, and that neither logs nor traceback show the token."""
    with caplog.at_level(logging.DEBUG), pytest.raises(error) as failure:
        yield
    assert type(failure.value) is error
    assert pair.account.token.reveal() not in caplog.text + "".join(traceback.format_exception(failure.value))


@asynccontextmanager
async def serving_answer(status: int, body: str | bytes) -> AsyncIterator[str]:
    """Serve this answer in Telegram's place; yield the server's address."""
    app = Quart("proxy")

    @app.post("/<path:path>")
    async def answer(path: str) -> Response:
        return Response(body, status, content_type="application/json; charset=utf-8")

    async with served(app) as url:
        yield url


async def test_a_text_arrives_as_it_is(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    text = "a_b *c* <i>&amp; 👩‍👩‍👧\n  [x](y)"
    provider_id = await pair.channel.send(pair.address(anna), Content(text), key="k1")
    (accepted,) = pair.server.accepted
    assert (accepted.id, accepted.user, accepted.text) == (provider_id, anna, text)
    assert json.loads(accepted.request["link_preview_options"]) == {"is_disabled": True}
    request = {name: value for name, value in accepted.request.items() if name != "link_preview_options"}
    assert request == {"chat_id": anna, "text": text}, "and nothing that asks for markup"
    bubble = pair.server.phone(anna).screen[-1]
    assert (bubble.id, bubble.mine, bubble.text, bubble.state) == (provider_id, False, text, "read")


async def test_message_ids_are_unique_across_chats(pair: Pair) -> None:
    users = [await pair.start_user("Anna"), await pair.start_user("Oleg", "+79990001133")]
    provider_ids = [await pair.channel.send(pair.address(user), Content("hi"), key="k") for user in users]
    assert {name.partition("/")[2] for name in provider_ids} == {"2"}
    assert len(set(provider_ids)) == 2


async def test_buttons(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    buttons = (Button("Yes", reply="я" * 32), Button("Site", url="https://shop.ru/"), Button("Later"))
    await pair.channel.send(pair.address(anna), Content("Deliver?", buttons=buttons), key="k1")
    assert json.loads(pair.server.accepted[0].request["reply_markup"]) == {
        "inline_keyboard": [
            [{"text": "Yes", "callback_data": "я" * 32}],
            [{"text": "Site", "url": "https://shop.ru/"}],
            [{"text": "Later", "callback_data": "Later"}],
        ]
    }
    buttons_shown = pair.server.phone(anna).screen[-1].buttons
    assert buttons_shown == [buttons[0], buttons[1], Button("Later", reply="Later")]


BY_URL = {"voice": "a.ogg", "audio": "a.mp3", "photo": "a.png", "sticker": "a.webp", "document": "a.pdf"}
MEDIA = [
    *((kind, field, Media("", id="AgACAgIAAxkBAAIB-large")) for kind, field in TYPES.items()),
    *(
        (kind, field, Media("", url=f"https://shop.ru/{BY_URL.get(field, 'a.mp4')}"))
        for kind, field in TYPES.items()
        if kind != "video_note"
    ),
]
"""Every type by Telegram's own id, and by URL: that of a video note is not taken. Bot API: sendVideoNote."""


@pytest.mark.parametrize(("media_type", "field", "media"), MEDIA)
async def test_media(pair: Pair, media_type: str, field: str, media: Media) -> None:
    anna = await pair.start_user("Anna")
    content = Content("Вот", Media(media_type, media.url, media.id), (Button("OK", reply="ok"),))
    await pair.channel.send(pair.address(anna), content, key="k1")
    (accepted,) = pair.server.accepted
    assert accepted.request[field] == (media.url or media.id)
    assert accepted.text == ("" if field in {"sticker", "video_note"} else "Вот")
    assert pair.server.phone(anna).screen[-1].buttons == [Button("OK", reply="ok")]


async def test_every_piece_of_a_long_message_is_taken(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    text = "Ваш заказ 📦 собран. " * 600
    pieces = pair.channel.split(Content(text, buttons=(Button("OK"),)))
    for piece in pieces:
        await pair.channel.send(pair.address(anna), piece, key="k1")
    assert len(pieces) > 3
    assert " ".join(accepted.text for accepted in pair.server.accepted) == text.strip()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (TemplateMessage("order_ready", "ru"), "no templates"),
        (Content(), "empty"),
        (Content(" \n "), "empty"),
        (Content("?", buttons=(Button("Да", reply="я" * 32 + "!"),)), "'Да' is too long; Telegram takes 64 bytes"),
        (Content(media=Media("image")), "neither an id nor a url"),
    ],
)
async def test_what_telegram_has_no_form_for_is_refused_here(pair: Pair, message: Any, reason: str) -> None:
    anna = await pair.start_user("Anna")
    pair.server.faults.fail("500")
    with pytest.raises(Refused, match=reason):
        await pair.channel.send(pair.address(anna), message, key="k1")
    assert len(pair.server.faults.planned) == 1, "nothing was asked of Telegram"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (Content("a" * 4097), "message is too long"),
        (Content("a" * 1025, Media("image", url="https://shop.ru/a.png")), "caption is too long"),
        (Content(media=Media("image", id="nonsense")), "wrong file identifier"),
        (Content("?", buttons=(Button("Site", url="shop"),)), "is invalid: Wrong HTTP URL"),
        (Content("?", buttons=(Button("", reply="x"),)), "text must be non-empty"),
    ],
)
async def test_what_telegram_refuses_is_refused(pair: Pair, content: Content, reason: str) -> None:
    anna = await pair.start_user("Anna")
    with pytest.raises(Refused, match=reason):
        await pair.channel.send(pair.address(anna), content, key="k1")


async def test_to_whom_we_may_not_write(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    await pair.server.block(anna)
    stranger = pair.server.phone(pair.server.user_of("+79990001133")).user
    for user, error in ((anna, Stopped), (stranger, Stopped), ("404404", Refused), ("", Refused)):
        with pytest.raises(error) as refusal:
            await pair.channel.send(pair.address(user), Content("hi"), key="k1")
        assert type(refusal.value) is error
    assert pair.server.accepted == []


def test_the_table_knows_every_error_of_the_server() -> None:
    assert set(SEND_ERRORS) == set(ERRORS)


@pytest.mark.parametrize(("code", "error"), SEND_ERRORS.items())
async def test_errors(pair: Pair, caplog: pytest.LogCaptureFixture, code: str, error: type[SendError]) -> None:
    anna = await pair.start_user("Anna")
    pair.server.faults.fail(code)
    with expecting_failure(error, pair, caplog):
        await pair.channel.send(pair.address(anna), Content("hi"), key="k1")
    assert pair.server.accepted == []


async def test_how_long_to_wait_is_passed_on(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    for code in ("429", "429-bare"):
        pair.server.faults.fail(code)
        with pytest.raises(Throttled) as failure:
            await pair.channel.send(pair.address(anna), Content("hi"), key="k1")
        assert failure.value.retry_after == timedelta(seconds=1)


async def test_too_many_messages_to_a_group_make_only_the_group_wait(pair: Pair) -> None:
    pair.server.phone("-4001", "Warehouse")
    pair.server.faults.fail("429")
    with pytest.raises(Unavailable) as failure:
        await pair.channel.send(pair.address("-4001"), Content("hi"), key="k1")
    assert not isinstance(failure.value, Throttled)
    assert failure.value.retry_after == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("body", "wait"),
    [
        ("<html>too many</html>", timedelta(seconds=1)),
        ('{"ok": false, "description": "slow down"}', timedelta(seconds=1)),
        ('{"ok": false, "description": "slow down", "parameters": {"retry_after": 35}}', timedelta(seconds=35)),
        (f'{{"ok": false, "description": "go away", "parameters": {{"retry_after": {10**15}}}}}', LONGEST),
    ],
)
async def test_whoever_answers_429_makes_the_bot_wait(pair: Pair, body: str, wait: timedelta) -> None:
    async with serving_answer(429, body) as url:
        with pytest.raises(Throttled) as failure:
            await Sender(pair.account.token, url, pair.http, pair.http).send("5550001", Content("hi"))
    assert failure.value.retry_after == wait


async def test_a_group_is_followed_to_its_new_id(pair: Pair) -> None:
    pair.server.phone("-4001", "Warehouse")
    assert (await pair.channel.send(pair.address("-4001"), Content("hi"), key="k1")) == "-4001/1"
    supergroup = pair.server.upgrade("-4001")
    assert (await pair.channel.send(pair.address("-4001"), Content("hi"), key="k2")) == f"{supergroup}/1"
    pair.server.upgrade(supergroup)
    with pytest.raises(Refused, match="has moved to"):
        await pair.channel.send(pair.address("-4001"), Content("hi"), key="k3")


async def test_a_lost_answer_is_ambiguous(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    pair.server.faults.lose_answers()
    with pytest.raises(Ambiguous):
        await pair.channel.send(pair.address(anna), Content("hi"), key="k1")
    assert len(pair.server.accepted) == 1


async def test_a_late_answer_is_ambiguous(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    anna = await pair.start_user("Anna")
    pair.server.faults.answer_after = 1
    sender = Sender(pair.account.token, pair.account.api_url, pair.http, pair.http, aiohttp.ClientTimeout(total=0.2))
    with expecting_failure(Ambiguous, pair, caplog):
        await sender.send(anna, Content("hi"))


async def test_where_nobody_listens_nothing_was_sent(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    sender = Sender(pair.account.token, f"http://127.0.0.1:{free_port()}", pair.http, pair.http)
    with expecting_failure(Unavailable, pair, caplog):
        await sender.send("5550001", Content("hi"))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>maintenance</html>"),
        (200, '{"ok": true}'),
        (200, '{"ok": true, "result": true}'),
        (200, '{"ok": true, "result": {"message_id": 1, "date": 1, "chat": {"id": 1}}}'),
        (200, "[]"),
        (200, b"\xff\xfe"),
        (500, '{"ok": false}'),
        (502, "<html>bad gateway</html>"),
        (504, ""),
    ],
)
async def test_answers_that_make_no_sense_are_ambiguous(pair: Pair, status: int, body: str | bytes) -> None:
    async with serving_answer(status, body) as url:
        with pytest.raises(Ambiguous, match="it may have been sent") as failure:
            await Sender(pair.account.token, url, pair.http, pair.http).send("5550001", Content("hi"))
    assert "html" not in str(failure.value)


async def test_addresses_in_what_aiohttp_says_are_kept_out(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    app = Quart("proxy")

    @app.route("/<path:path>", methods=["GET", "POST"])
    async def answer(path: str) -> Response:
        return Response(status=302, headers={"Location": f"/{path}"})

    async with served(app) as url:
        with expecting_failure(Ambiguous, pair, caplog):
            await Sender(pair.account.token, url, pair.http, pair.http).send("5550001", Content("hi"))


async def test_a_broken_connection_is_ambiguous(pair: Pair) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", port := free_port()):
        sender = Sender(pair.account.token, f"http://127.0.0.1:{port}", pair.http, pair.http)
        with pytest.raises(Ambiguous, match="the connection to Telegram broke"):
            await sender.send("5550001", Content("hi"))


def test_media_types_of_what_comes_in_can_go_out_again() -> None:
    folder = Path(__file__).parents[1] / "payloads"
    events = [
        event for file in folder.glob("*.json") for event in json.loads(file.read_text("utf-8")).get("events", ())
    ]
    inbound_types = {event["content"]["media"]["type"] for event in events if "media" in event.get("content", {})}
    assert inbound_types == set(TYPES) - {"hologram"}

"""Webhooks as providers really deliver them: twice, at once, out of order, forged, too large, to a dead database."""

import asyncio
import dataclasses
import io
import json
from typing import Any

import pytest
from prometheus_client import REGISTRY

from bots.telegram.simulator.server import Server as Telegram
from gateway.runtime.runtime import Runtime
from storage.engine.database import connect
from storage.engine.embedded import embedded
from storage.messages.inbox import Inbox
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.stranger import Stranger
from webhooks.app import create_app

COPIES = 20


def telegram(demo: ApiClient) -> Telegram:
    simulator = demo.environment.simulators["telegram"]
    assert isinstance(simulator, Telegram)
    return simulator


def update(number: int, text: str = "/start", chat: int = 7) -> dict[str, Any]:
    person = {"id": chat, "is_bot": False, "first_name": "Anna"}
    message = {
        "message_id": number,
        "date": 1795430000 + number,
        "chat": {"id": chat, "type": "private"},
        "from": person,
    }
    return {"update_id": number, "message": {**message, "text": text}}


async def deliver(demo: ApiClient, body: Any, secret: str | None = None, path: str = "telegram/demo") -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram(demo).secret if secret is None else secret}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with demo.http.post(f"/webhooks/{path}", data=io.BytesIO(content), headers=headers) as response:
        return response.status


def let_write(demo: ApiClient, *chats: int) -> None:
    """Let these people have written to the bot, so that the stand-in lets it write to them."""
    for chat in chats:
        telegram(demo).phone(str(chat)).last_wrote_at = demo.environment.runtime.clock()


async def until_idle(runtime: Runtime) -> None:
    """Wait until nothing is due any more, in the inbox or the outbox."""

    async def idle() -> bool | None:
        due = [await runtime.db[name].find_one({"due_at": {"$exists": True}}) for name in ("inbox", "notifications")]
        return None if any(due) else True

    await until(idle)


async def test_twenty_copies_at_once_have_one_effect(demo: ApiClient) -> None:
    let_write(demo, 7)
    statuses = await asyncio.gather(*[deliver(demo, update(1)) for _ in range(COPIES)])
    assert set(statuses) == {200}
    await until_idle(demo.environment.runtime)
    assert [message.user for message in telegram(demo).accepted] == ["7"]


async def test_twenty_people_at_once_are_all_answered(demo: ApiClient) -> None:
    let_write(demo, *range(1, COPIES + 1))
    await asyncio.gather(*[deliver(demo, update(chat, chat=chat)) for chat in range(1, COPIES + 1)])
    await until_idle(demo.environment.runtime)
    assert {message.user for message in telegram(demo).accepted} == {str(chat) for chat in range(1, COPIES + 1)}
    assert len(telegram(demo).accepted) == COPIES


async def test_a_provider_that_repeats_and_reorders_is_answered_once_each(demo: ApiClient) -> None:
    for channel in ("telegram", "whatsapp"):
        faults = demo.environment.simulators[channel].faults
        faults.webhook_copies, faults.reorder = 5, True
        await demo.say(channel, "/start")
        await demo.press(channel, "Help")
        await demo.environment.simulators[channel].quiet()
    await until_idle(demo.environment.runtime)
    assert len(demo.answers("telegram")) == len(demo.answers("whatsapp")) == 2


async def test_events_of_a_conversation_are_answered_in_order(demo: ApiClient) -> None:
    let_write(demo, 7)
    for number, word in enumerate(["/start", "/help", "/stop", "/help", "/start"], 1):
        await deliver(demo, update(number, word))
    await until_idle(demo.environment.runtime)
    first_words = [message.text.split()[0] for message in telegram(demo).accepted]
    assert first_words == ["Hello,", "/start", "You", "/start", "Hello,"]


@pytest.mark.parametrize(
    ("body", "secret", "path", "status"),
    [
        (update(1), "", "telegram/demo", 401),
        (update(1), "wrong", "telegram/demo", 401),
        (update(1), None, "telegram/nobody", 404),
        (update(1), None, "nothing/demo", 404),
        (b"not json", None, "telegram/demo", 400),
        (b" " * (1024 * 1024 + 1), None, "telegram/demo", 413),
        (b" " * (3 * 1024 * 1024 + 1), None, "whatsapp/demo", 413),
        (b" " * (3 * 1024 * 1024 - 1), None, "whatsapp/demo", 401),
    ],
)
async def test_what_is_refused(demo: ApiClient, body: Any, secret: str | None, path: str, status: int) -> None:
    assert await deliver(demo, body, secret, path) == status
    assert await demo.environment.runtime.db["inbox"].find_one({}) is None


@pytest.mark.parametrize("announced", [True, False])
async def test_who_sends_too_much_can_send_all_of_it_and_hears_why_it_is_refused(
    demo: ApiClient,
    announced: bool,  # noqa: FBT001
) -> None:
    """It is more than waits in any buffer, so that a connection that is closed meanwhile would break."""
    body = b" " * (7 * 1024 * 1024)
    length = b"Content-Length: %d" % len(body) if announced else b"Transfer-Encoding: chunked"
    head = b"POST /webhooks/telegram/demo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + length + b"\r\n\r\n"
    sent = body if announced else b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    answer = await Stranger(demo.environment.url).ask_raw(head + sent)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert await demo.environment.runtime.db["inbox"].find_one({}) is None


def unrecognised_count() -> float:
    return REGISTRY.get_sample_value("gateway_events_total", {"channel": "telegram", "kind": "unrecognised"}) or 0


async def test_an_unknown_kind_of_event_is_taken_and_counted(demo: ApiClient) -> None:
    before = unrecognised_count()
    assert await deliver(demo, {"update_id": 5, "teleportation": {"to": "Mars"}}) == 200
    await until_idle(demo.environment.runtime)
    assert unrecognised_count() == before + 1


async def test_without_a_database_the_provider_hears_5xx_and_delivers_again(
    demo: ApiClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A second app over a database that is gone: it must not acknowledge what it cannot keep."""
    async with embedded(tmp_path_factory.mktemp("gone")) as uri:
        gone_uri = uri
    dead = connect(gone_uri, "gone")
    runtime = demo.environment.runtime
    broken = dataclasses.replace(runtime, db=dead, inbox=Inbox(dead))
    client = create_app(broken).test_client()
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram(demo).secret}
    response = await client.post("/webhooks/telegram/demo", data=json.dumps(update(1)), headers=headers)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    dead.client.close()


async def test_stop_and_block_hold_notifications_back(demo: ApiClient) -> None:
    simulator, user = telegram(demo), telegram(demo).user_of(PHONE)
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")
    await demo.say("telegram", "/stop")
    story = await demo.wait_for(await demo.send({"channel": "telegram", "text": "News"}), "UNDELIVERED")
    assert "asked us to stop" in story["attempts"][0]["reason"]
    await demo.say("telegram", "/start")
    await demo.wait_for(await demo.send({"channel": "telegram", "text": "News"}), "SENT")
    await simulator.block(user)
    await simulator.quiet()
    await until_idle(demo.environment.runtime)
    story = await demo.wait_for(await demo.send({"channel": "telegram", "text": "News"}), "UNDELIVERED")
    assert "has blocked us" in story["attempts"][0]["reason"]

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
from tests.support.client import PHONE, Player, until
from webhooks.app import create_app

COPIES = 20


def telegram(town: Player) -> Telegram:
    simulator = town.town.simulators["telegram"]
    assert isinstance(simulator, Telegram)
    return simulator


def update(number: int, text: str = "/start", chat: int = 7) -> dict[str, Any]:
    who = {"id": chat, "is_bot": False, "first_name": "Anna"}
    message = {"message_id": number, "date": 1795430000 + number, "chat": {"id": chat, "type": "private"}, "from": who}
    return {"update_id": number, "message": {**message, "text": text}}


async def deliver(town: Player, body: Any, secret: str | None = None, path: str = "telegram/demo") -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram(town).secret if secret is None else secret}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with town.http.post(f"/webhooks/{path}", data=io.BytesIO(content), headers=headers) as response:
        return response.status


def started(town: Player, *chats: int) -> None:
    """People whom the stand-in lets a bot write to."""
    for chat in chats:
        telegram(town).phone(str(chat)).last_wrote_at = town.town.runtime.clock()


async def settled(runtime: Runtime) -> None:
    """Wait until nothing is due any more, in the inbox or the outbox."""

    async def idle() -> bool | None:
        due = [await runtime.db[name].find_one({"due_at": {"$exists": True}}) for name in ("inbox", "notifications")]
        return None if any(due) else True

    await until(idle)


async def test_twenty_copies_at_once_have_one_effect(town: Player) -> None:
    started(town, 7)
    statuses = await asyncio.gather(*[deliver(town, update(1)) for _ in range(COPIES)])
    assert set(statuses) == {200}
    await settled(town.town.runtime)
    assert [message.user for message in telegram(town).accepted] == ["7"]


async def test_twenty_people_at_once_are_all_answered(town: Player) -> None:
    started(town, *range(1, COPIES + 1))
    await asyncio.gather(*[deliver(town, update(chat, chat=chat)) for chat in range(1, COPIES + 1)])
    await settled(town.town.runtime)
    assert {message.user for message in telegram(town).accepted} == {str(chat) for chat in range(1, COPIES + 1)}
    assert len(telegram(town).accepted) == COPIES


async def test_a_provider_that_repeats_and_reorders_is_answered_once_each(town: Player) -> None:
    for channel in ("telegram", "whatsapp"):
        faults = town.town.simulators[channel].faults
        faults.webhook_copies, faults.reorder = 5, True
        await town.say(channel, "/start")
        await town.press(channel, "Help")
        await town.town.simulators[channel].quiet()
    await settled(town.town.runtime)
    assert len(town.answers("telegram")) == len(town.answers("whatsapp")) == 2


async def test_events_of_a_conversation_are_answered_in_order(town: Player) -> None:
    started(town, 7)
    for number, word in enumerate(["/start", "/help", "/stop", "/help", "/start"], 1):
        await deliver(town, update(number, word))
    await settled(town.town.runtime)
    said = [message.text.split()[0] for message in telegram(town).accepted]
    assert said == ["Hello,", "/start", "You", "/start", "Hello,"]


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
async def test_what_is_refused(town: Player, body: Any, secret: str | None, path: str, status: int) -> None:
    assert await deliver(town, body, secret, path) == status
    assert await town.town.runtime.db["inbox"].find_one({}) is None


def counted() -> float:
    return REGISTRY.get_sample_value("gateway_events_total", {"channel": "telegram", "kind": "unrecognised"}) or 0


async def test_an_unknown_kind_of_event_is_taken_and_counted(town: Player) -> None:
    before = counted()
    assert await deliver(town, {"update_id": 5, "teleportation": {"to": "Mars"}}) == 200
    await settled(town.town.runtime)
    assert counted() == before + 1


async def test_without_a_database_the_provider_hears_5xx_and_delivers_again(
    town: Player, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A second app over a database that is gone: it must not acknowledge what it cannot keep."""
    async with embedded(tmp_path_factory.mktemp("gone")) as uri:
        gone = uri
    runtime = town.town.runtime
    dead = connect(gone, "gone")
    broken = dataclasses.replace(runtime, db=dead, inbox=Inbox(dead))
    client = create_app(broken).test_client()
    headers = {"X-Telegram-Bot-Api-Secret-Token": telegram(town).secret}
    response = await client.post("/webhooks/telegram/demo", data=json.dumps(update(1)), headers=headers)
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    dead.client.close()


async def test_stop_and_block_hold_notifications_back(town: Player) -> None:
    simulator, user = telegram(town), telegram(town).user_of(PHONE)
    contact = (await town.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await town.say("telegram", f"/start {contact['startCode']}")
    await town.say("telegram", "/stop")
    story = await town.ended(await town.send({"channel": "telegram", "text": "News"}), "UNDELIVERED")
    assert "asked us to stop" in story["attempts"][0]["reason"]
    await town.say("telegram", "/start")
    await town.ended(await town.send({"channel": "telegram", "text": "News"}), "SENT")
    await simulator.block(user)
    await simulator.quiet()
    await settled(town.town.runtime)
    story = await town.ended(await town.send({"channel": "telegram", "text": "News"}), "UNDELIVERED")
    assert "has blocked us" in story["attempts"][0]["reason"]

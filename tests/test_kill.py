"""Kill -9: two whole gateways over one database, killed in turn under load. Then an audit of the providers' books."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bots.simulation import Simulator
from gateway.notification import Notification
from gateway.runtime import Clock
from gateway.settings import Settings
from storage import access
from storage.database import Db, from_document
from tests.player import until
from tests.processes import Process, accounts_file
from webhooks.demo.town import opened_simulators
from webhooks.server import free_port

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

PEOPLE = 60
KILLS = 5
BOTS = ("telegram", "vk", "viber", "whatsapp")
IDEMPOTENT = {"vk"}
TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "{{order}}"}}


@dataclass
class Siege:
    """The providers, two gateways, and what a caller was promised: order number -> id."""

    simulators: dict[str, Simulator]
    servers: list[Process]
    key: str
    promised: dict[str, str]


@asynccontextmanager
async def besieged(folder: Path, settings: Settings, db: Db) -> AsyncIterator[Siege]:
    port = free_port()
    async with opened_simulators(f"http://127.0.0.1:{port}", Clock()) as (simulators, accounts):
        environment = {
            "MONGODB_URI": str(settings.mongodb_uri),
            "GATEWAY_DATABASE": settings.database,
            "GATEWAY_ACCOUNTS": str(accounts_file(folder / "accounts.toml", accounts)),
            "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "GATEWAY_LEASE": "5",
            "GATEWAY_DOUBT": "20",
        }
        for simulator in simulators.values():
            simulator.faults.answer_after = 0.2  # so that a kill finds calls under way
        servers = [Process(folder, environment, port=port), Process(folder, environment)]
        await asyncio.gather(*[server.start() for server in servers])
        try:
            yield Siege(simulators, servers, await access.create_key(db, "test", Clock()()), {})
        finally:
            await asyncio.gather(*[server.kill() for server in servers])


async def order(siege: Siege, number: str, phone: str) -> None:
    """What a careful caller does: the same key until there is an answer."""
    step = {"channel": "whatsapp", "text": "Order {{order}}", "template": TEMPLATE, "fallbackAfter": "PT2M"}
    to = {"phone": phone, "variables": {"order": number}}
    body = {"messages": [{"destinations": [to], "channels": [step, {"channel": "sms", "text": "Order {{order}}"}]}]}
    headers = {"Authorization": f"Bearer {siege.key}", "Idempotency-Key": number}
    async with aiohttp.ClientSession(headers=headers) as http:
        for attempt in range(300):
            server = siege.servers[attempt % 2]
            try:
                async with http.post(f"{server.url}/api/v1/messages", json=body) as response:
                    if response.status == 202:
                        siege.promised[number] = (await response.json())["messages"][0]["id"]
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(f"order {number} was never accepted")


async def live(siege: Siege, person: int) -> None:
    """One person starts the bots and gets two orders."""
    phone = f"+7900{person:07}"
    await asyncio.sleep(random.uniform(0, 8))
    for channel in BOTS:
        await siege.simulators[channel].say(siege.simulators[channel].user_of(phone), "/start")
    await order(siege, f"{person}-a", phone)
    await asyncio.sleep(random.uniform(0, 4))
    await order(siege, f"{person}-b", phone)


async def kill_in_turn(siege: Siege) -> None:
    for number in range(KILLS):
        await asyncio.sleep(random.uniform(0.5, 2))
        server = siege.servers[number % 2]
        await server.kill()
        await server.start()


async def at_rest(db: Db) -> None:
    async def idle() -> bool | None:
        due = [await db[name].find_one({"due_at": {"$exists": True}}) for name in ("inbox", "notifications")]
        return None if any(due) else True

    await until(idle, patience=90)


async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, settings: Settings, db: Db) -> None:
    async with besieged(tmp_path, settings, db) as siege:
        await asyncio.gather(kill_in_turn(siege), *[live(siege, person) for person in range(PEOPLE)])
        await asyncio.gather(*[simulator.quiet() for simulator in siege.simulators.values()])
        await at_rest(db)
    stored = [from_document(Notification, document) async for document in db["notifications"].find()]
    report(siege, stored)
    audit_orders(siege, {notification.id: notification for notification in stored})
    audit_answers(siege, stored)


def report(siege: Siege, stored: list[Notification]) -> None:
    """The figures, for those who run it with -s."""
    tries = Counter(attempt.progress.name for notification in stored for attempt in notification.attempts)
    taken = {name: len(simulator.accepted) for name, simulator in siege.simulators.items()}
    repeated = sum(status != 200 for simulator in siege.simulators.values() for status, _ in simulator.answers)
    print(f"\n{KILLS} kills, {len(stored)} notifications, attempts {dict(tries)}, taken {taken}, {repeated=} webhooks")  # noqa: T201


def audit_orders(siege: Siege, stored: dict[str, Notification]) -> None:
    """Every promise is kept or its doubt declared, and no provider was given the same order twice."""
    assert len(siege.promised) == 2 * PEOPLE
    assert set(siege.promised.values()) == {key for key in stored if not key.startswith("reply:")}
    for channel in ("whatsapp", "sms"):
        book = Counter(_order_of(message.text) for message in siege.simulators[channel].accepted)
        assert not {text: n for text, n in book.items() if n > 1 and text}, channel
    taken = {_order_of(m.text) for channel in ("whatsapp", "sms") for m in siege.simulators[channel].accepted}
    assert set(siege.promised) <= taken
    assert {stored[key].status for key in siege.promised.values()} <= {"DELIVERED", "READ"}


def audit_answers(siege: Siege, stored: list[Notification]) -> None:
    """Every /start is answered once; where the sender was killed in the act, at most once, and that is on record.

    Where the provider knows a message again, nothing stays in doubt: it is sent again, and arrives once.
    """
    replies = {n.id: n for n in stored if n.id.startswith("reply:")}
    assert len(replies) == len(BOTS) * PEOPLE
    for channel in BOTS:
        book = Counter(m.user for m in siege.simulators[channel].accepted if m.text.startswith("Hello"))
        assert max(book.values()) == 1, channel
        doubtful = [n for n in replies.values() if n.steps[0].channel == channel and n.status == "UNDELIVERED"]
        assert len(book) >= PEOPLE - len(doubtful), channel
        assert all("may have been sent" in n.decisions[-1].text for n in doubtful)
        assert channel not in IDEMPOTENT or (len(book) == PEOPLE and not doubtful), channel


def _order_of(text: str) -> str:
    """The order's number in the free text, the SMS, or the template alike."""
    return next((word.strip(".,!") for word in text.split() if word.strip(".,!")[-2:] in {"-a", "-b"}), "")

"""Measures how fast a webhook is acknowledged, with its event stored and deduplicated, beside servers that do less.

Each server answers as many calls as it can over 64 connections. Their rounds alternate, so that all meet the same
machine.
"""

import asyncio
import hashlib
import hmac
import importlib.util
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import uuid4

import msgspec

from bots.whatsapp.inbound.webhook import sign
from storage.engine.embedded import free_port
from tests.benchmarks.load.conversations import measure_latencies, percentile
from tests.benchmarks.load.load import per_second, raw_request
from tests.benchmarks.load.sending import Lost
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.setup.account import NAME, SECRET, message_webhook
from tests.benchmarks.setup.setup import Setup, opened_running_setup, opened_setup
from tests.support.processes.processes import GATEWAY, Program

PART, OWN, BARE = "ack", "this gateway: stored, known again", "bare Quart, stores nothing"
EVENTS, STATUSES = 320, ("sent", "delivered", "read")

Make = Callable[[str, int], bytes]


def whatsapp(path: str) -> Make:
    def make(name: str, number: int) -> bytes:
        body = message_webhook(number, "When do you open?", name, datetime.now(UTC))
        return raw_request(path, {"X-Hub-Signature-256": sign(body, SECRET)}, body)

    return make


def telegram(_: str, number: int) -> bytes:
    sender = {"id": number + 1, "is_bot": False, "first_name": "Anna"}
    message = {
        "message_id": number + 1,
        "date": 1795430000,
        "chat": {"id": number + 1, "type": "private"},
        "from": sender,
    }
    body = msgspec.json.encode({"update_id": number + 1, "message": {**message, "text": "When do you open?"}})
    return raw_request("/webhooks", {"X-Telegram-Bot-Api-Secret-Token": SECRET.reveal()}, body)


def viber(name: str, number: int) -> bytes:
    sender = {"id": f"{number:022}==", "name": "Anna", "language": "en", "country": "RU", "api_version": 10}
    event = {"event": "message", "timestamp": 1795430000000, "message_token": number + 10**18, "sender": sender}
    body = msgspec.json.encode({**event, "message": {"type": "text", "text": f"When do you open, {name}?"}})
    proof = hmac.new(SECRET.reveal().encode(), body, hashlib.sha256).hexdigest()
    return raw_request("/webhooks", {"X-Viber-Content-Signature": proof}, body)


FLOORS: Mapping[str, tuple[str, Make, tuple[str, ...]]] = {
    "bare Quart": ("bare", whatsapp("/webhooks"), ()),
    "aiogram's server": ("aiogram_server", telegram, ()),
    "pywa, FastAPI": ("pywa_server", whatsapp("/webhooks"), ("pywa", "fastapi", "uvicorn")),
    "viberbot, Flask": ("viberbot_server", viber, ("flask", "waitress")),
}
"""The servers to compare with: module, builder of requests, and the libraries that the extra `bench` brings."""


class Server(Program):
    """A program that listens on a port."""

    def __init__(self, name: str, folder: Path, command: list[str], environment: Mapping[str, str]) -> None:
        self.port = free_port()
        super().__init__(name, folder, [*command, str(self.port)], environment)

    async def ready(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@dataclass(frozen=True)
class Rival:
    """A server, the builder of its requests, and the results of its rounds."""

    name: str
    server: Server
    make: Make
    rounds: list[float]


async def measure(*, rounds: int, quick: bool) -> list[Row]:
    count = 300 if quick else 6000
    async with opened_setup() as setup, AsyncExitStack() as stack:
        rivals = [_own_server(setup), *_floors(setup)]
        for rival in rivals:
            stack.push_async_callback(rival.server.kill)
            await rival.server.start()
            await _round(rival, count // 10)
        for number in range(rounds):
            for rival in rivals:
                rival.rounds.append(await _round(rival, count))
            tell(
                f"round {number + 1} of {rounds}: ours {rivals[0].rounds[-1]:.0f}/s, bare {rivals[1].rounds[-1]:.0f}/s"
            )
        event_count = await setup.db["inbox"].count_documents({})
    if event_count != (expected_count := count // 10 + rounds * count):
        raise Lost(f"{event_count} events are stored of {expected_count} that were acknowledged")
    return [*_rows(rivals), await _under_load(rounds, seconds=3 if quick else 15)]


def _own_server(setup: Setup) -> Rival:
    server = Server("web", setup.folder, [GATEWAY, "web", "--port"], setup.environment)
    return Rival(OWN, server, whatsapp(f"/webhooks/whatsapp/{NAME}"), [])


def _floors(setup: Setup) -> list[Rival]:
    """Return the servers to compare with, each alone and each with one insert a call into the same database server."""
    rivals = []
    for stores in ("stores nothing", "one insert a call"):
        variables = (
            {}
            if stores == "stores nothing"
            else {"FLOOR_URI": setup.database.uri, "FLOOR_DATABASE": setup.database.name}
        )
        for name, (module, make, needs) in FLOORS.items():
            if any(importlib.util.find_spec(library) is None for library in needs):
                tell(f"{name} is left out: pip install -e '.[bench]' brings {', '.join(needs)}")
                continue
            command = [sys.executable, "-m", f"tests.benchmarks.floors.{module}"]
            server = Server(f"{module}-{len(variables)}", setup.folder, command, variables)
            rivals.append(Rival(f"{name}, {stores}", server, make, []))
    return rivals


async def _round(rival: Rival, count: int) -> float:
    name = uuid4().hex[:8]
    return await per_second(rival.server.port, [rival.make(name, number) for number in range(count)])


def _rows(rivals: list[Rival]) -> list[Row]:
    """Return the rows. Ratios are to the bare floor of the same round, so that a slow phase distorts none."""
    bare = next(rival for rival in rivals if rival.name == BARE)
    return [
        Row(
            PART,
            rival.name,
            median(rival.rounds),
            "webhooks/s",
            median(own / floor for own, floor in zip(rival.rounds, bare.rounds, strict=True)),
            "at least 0.85 of bare Quart" if rival.name == OWN else "",
        )
        for rival in rivals
    ]


async def _under_load(rounds: int, seconds: int) -> Row:
    """Measure acknowledgements while a quarter of the events are messages and the rest are reports on their answers."""
    people, acks = EVENTS // (1 + len(STATUSES)), list[float]()
    async with opened_running_setup() as setup:
        await measure_latencies(setup, range(people), people, *STATUSES)
        for number in range(rounds):
            start = people * (1 + number * seconds)
            latencies = await measure_latencies(setup, range(start, start + people * seconds), people, *STATUSES)
            acks.append(percentile(latencies.acks, 99))
            tell(f"{EVENTS} events a second, answering: p99 {acks[-1]:.0f} ms")
    return Row(PART, f"2xx p99 at {EVENTS} events/s, answering them", median(acks), "ms", None, "under 250 ms")

"""How fast a webhook is acknowledged, its event on disk and known again, beside servers that do less.

Each answers as many calls as it can over 64 connections; rounds take turns, so that all meet the same machine.
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
from tests.benchmarks.load.load import per_second, request
from tests.benchmarks.load.sending import Lost
from tests.benchmarks.load.talking import percentile, talk
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.stage.account import NAME, SECRET, said
from tests.benchmarks.stage.stage import Ground, opened_ground, opened_stage
from tests.support.processes.processes import GATEWAY, Program

PART, OURS, BARE = "ack", "this gateway: stored, known again", "bare Quart, stores nothing"
EVENTS, STATUSES = 320, ("sent", "delivered", "read")

Make = Callable[[str, int], bytes]


def whatsapp(path: str) -> Make:
    def make(name: str, number: int) -> bytes:
        body = said(number, "When do you open?", name, datetime.now(UTC))
        return request(path, {"X-Hub-Signature-256": sign(body, SECRET)}, body)

    return make


def telegram(_: str, number: int) -> bytes:
    who = {"id": number + 1, "is_bot": False, "first_name": "Anna"}
    message = {"message_id": number + 1, "date": 1795430000, "chat": {"id": number + 1, "type": "private"}, "from": who}
    body = msgspec.json.encode({"update_id": number + 1, "message": {**message, "text": "When do you open?"}})
    return request("/webhooks", {"X-Telegram-Bot-Api-Secret-Token": SECRET.reveal()}, body)


def viber(name: str, number: int) -> bytes:
    sender = {"id": f"{number:022}==", "name": "Anna", "language": "en", "country": "RU", "api_version": 10}
    told = {"event": "message", "timestamp": 1795430000000, "message_token": number + 10**18, "sender": sender}
    body = msgspec.json.encode({**told, "message": {"type": "text", "text": f"When do you open, {name}?"}})
    proof = hmac.new(SECRET.reveal().encode(), body, hashlib.sha256).hexdigest()
    return request("/webhooks", {"X-Viber-Content-Signature": proof}, body)


FLOORS: Mapping[str, tuple[str, Make, tuple[str, ...]]] = {
    "bare Quart": ("bare", whatsapp("/webhooks"), ()),
    "aiogram's server": ("aiogram_server", telegram, ()),
    "pywa, FastAPI": ("pywa_server", whatsapp("/webhooks"), ("pywa", "fastapi", "uvicorn")),
    "viberbot, Flask": ("viberbot_server", viber, ("flask", "waitress")),
}
"""Its module, what it is sent, and the libraries that the extra `bench` brings for it."""


class Server(Program):
    """Something that listens on a port."""

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
    """A server, what it is sent, and the rounds that it has had."""

    name: str
    server: Server
    make: Make
    rounds: list[float]


async def measure(*, rounds: int, quick: bool) -> list[Row]:
    count = 300 if quick else 6000
    async with opened_ground() as ground, AsyncExitStack() as stack:
        rivals = [_ours(ground), *_floors(ground)]
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
        stored = await ground.db["inbox"].count_documents({})
    if stored != (wanted := count // 10 + rounds * count):
        raise Lost(f"{stored} events are stored of {wanted} that were acknowledged")
    return [*_rows(rivals), await _under_load(rounds, seconds=3 if quick else 15)]


def _ours(ground: Ground) -> Rival:
    server = Server("web", ground.folder, [GATEWAY, "web", "--port"], ground.environment)
    return Rival(OURS, server, whatsapp(f"/webhooks/whatsapp/{NAME}"), [])


def _floors(ground: Ground) -> list[Rival]:
    """Each alone, and each with one insert a call into the same database server."""
    found = []
    for stores in ("stores nothing", "one insert a call"):
        more = (
            {} if stores == "stores nothing" else {"FLOOR_URI": ground.place.uri, "FLOOR_DATABASE": ground.place.name}
        )
        for name, (module, make, needs) in FLOORS.items():
            if any(importlib.util.find_spec(library) is None for library in needs):
                tell(f"{name} is left out: pip install -e '.[bench]' brings {', '.join(needs)}")
                continue
            command = [sys.executable, "-m", f"tests.benchmarks.floors.{module}"]
            server = Server(f"{module}-{len(more)}", ground.folder, command, more)
            found.append(Rival(f"{name}, {stores}", server, make, []))
    return found


async def _round(rival: Rival, count: int) -> float:
    name = uuid4().hex[:8]
    return await per_second(rival.server.port, [rival.make(name, number) for number in range(count)])


def _rows(rivals: list[Rival]) -> list[Row]:
    """Ratios to the bare floor of the same round, so that a machine that is slow for a while harms nobody."""
    bare = next(rival for rival in rivals if rival.name == BARE)
    return [
        Row(
            PART,
            rival.name,
            median(rival.rounds),
            "webhooks/s",
            median(own / floor for own, floor in zip(rival.rounds, bare.rounds, strict=True)),
            "at least 0.85 of bare Quart" if rival.name == OURS else "",
        )
        for rival in rivals
    ]


async def _under_load(rounds: int, seconds: int) -> Row:
    """A quarter of the events are people who write and are answered; the rest are the reports on those answers."""
    people, acks = EVENTS // (1 + len(STATUSES)), list[float]()
    async with opened_stage() as stage:
        await talk(stage, range(people), people, *STATUSES)
        for number in range(rounds):
            start = people * (1 + number * seconds)
            told = await talk(stage, range(start, start + people * seconds), people, *STATUSES)
            acks.append(percentile(told.acks, 99))
            tell(f"{EVENTS} events a second, answering: p99 {acks[-1]:.0f} ms")
    return Row(PART, f"2xx p99 at {EVENTS} events/s, answering them", median(acks), "ms", None, "under 250 ms")

"""Does a message cost more when much is stored? Run it as `python -m tests.growth [10000 100000]`.

The same messages are sent through the same gateway while more and more finished ones lie beside them; what counts is
the ratio within one run. Time is this process's: gateway and stand-in together. Prints a table.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import msgspec
from pymongo import monitoring

from gateway.notification import Priority, lane_of
from gateway.settings import Settings
from gateway.submit import submit
from storage.database import Db
from storage.queue import EPOCH
from tests.player import until
from webhooks.demo.town import Town, opened_town

SENT, ROUNDS, CHUNK = 200, 5, 1000
BOOKKEEPING = {"hello", "ping", "endSessions", "createIndexes", "isMaster"}


class Ear(monitoring.CommandListener):
    """Counts what is asked of the database."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.heard[event.command_name] += event.command_name not in BOOKKEEPING

    def succeeded(self, _: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, _: monitoring.CommandFailedEvent) -> None: ...


EAR = Ear()
monitoring.register(EAR)


async def round_of(town: Town) -> tuple[float, float]:
    """Seconds and database operations for one message, from being accepted to being settled."""
    before, asked = len(town.simulators["sms"].accepted), EAR.heard.total()
    people = [{"phone": f"+7900{number:07}"} for number in range(SENT)]
    body = {
        "messages": [{"destinations": people, "channels": [{"channel": "sms", "text": "Hello"}], "priority": "normal"}]
    }
    began = time.perf_counter()
    await submit(town.runtime, msgspec.json.encode(body), "growth", None)
    await until(lambda: settled(town, before + SENT), patience=120)
    return (time.perf_counter() - began) / SENT, (EAR.heard.total() - asked) / SENT


async def settled(town: Town, accepted: int) -> bool | None:
    """Has everything arrived, and is nothing due any more, of the notifications or of the receipts for them?"""
    if len(town.simulators["sms"].accepted) < accepted:
        return None
    due = {"due_at": {"$gt": EPOCH}}
    lanes = [{"lane": lane_of(priority), **due} for priority in Priority]
    left = [await town.runtime.db["notifications"].find_one(lane) for lane in lanes]
    return None if any(left) or await town.runtime.db["inbox"].find_one(due) else True


async def fill(db: Db, wanted: int) -> None:
    """Copies of what is finished, until so many are stored."""
    for name in ("notifications", "messages", "inbox"):
        pattern = await db[name].find_one({}) or {}
        stored = await db[name].estimated_document_count()
        for start in range(stored, wanted, CHUNK):
            copies: list[dict[str, Any]] = [{**pattern, "_id": uuid4().hex} for _ in range(min(CHUNK, wanted - start))]
            await db[name].insert_many(copies, ordered=False)


@asynccontextmanager
async def opened() -> AsyncIterator[Town]:
    with tempfile.TemporaryDirectory(prefix="gateway-growth-") as folder:
        async with opened_town(Settings(folder=Path(folder))) as town:
            yield town


async def main(sizes: list[int]) -> None:
    async with opened() as town:
        await round_of(town)
        first = 0.0
        for size in sizes:
            await fill(town.runtime.db, size)
            rounds = [await round_of(town) for _ in range(ROUNDS)]
            seconds, operations = median(r[0] for r in rounds), median(r[1] for r in rounds)
            first = first or seconds
            line = f"{size:>7} stored: {seconds * 1000:6.2f} ms and {operations:5.1f} database operations a message"
            print(f"{line}, {seconds / first:.2f} of the first", flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main([1000, *map(int, sys.argv[1:] or ["10000", "100000"])]))

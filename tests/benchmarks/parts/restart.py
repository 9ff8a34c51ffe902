"""How long until a gateway is ready again after kill -9 of all of it, with much stored and some of it due."""

import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from gateway.runtime.runtime import Clock
from storage.documents.documents import Db
from storage.engine.database import connect
from storage.engine.embedded import free_port
from tests.benchmarks.load.sending import PATIENCE, Lost, read, taken
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.stage.crowd import due, fill, seat
from tests.benchmarks.stage.stage import Gateway, Meta, opened_place, settings, webhooks_of
from tests.support.client import until

PART = "restart"
SOON = {"GATEWAY_LEASE": "3", "GATEWAY_DOUBT": "3"}
"""Seconds until what the dead one was at is taken over; they change nothing about how long it takes to start."""


@dataclass(frozen=True)
class Ruin:
    """A gateway that has its embedded database for a child, unless `given` is the URI of another one."""

    folder: Path
    given: str
    name: str
    gateway: Gateway
    meta: Meta

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Db]:
        db = connect(self.given or (self.folder / "uri").read_text(), self.name)
        try:
            yield db
        finally:
            db.client.close()

    async def fall(self) -> float:
        """Kill all of it; the moment at which it was dead."""
        gateway = psutil.Process(self.gateway.pid)
        processes = [gateway, *gateway.children(recursive=True)]
        for process in processes:
            process.kill()
        await self.gateway.kill()
        psutil.wait_procs(processes, timeout=10)
        return time.monotonic()


async def measure(*, rounds: int, quick: bool, stored: int | None = None, count: int = 300) -> list[Row]:
    """The rows. `count`: how many are due. Raises Lost if one of them was sent twice, or forgotten."""
    stored, ready, over = stored or (5000 if quick else 100_000), list[float](), list[float]()
    async with _opened() as ruin:
        await ruin.gateway.start()
        tell(f"storing {stored}")
        async with ruin.database() as db:
            await fill(db, 0, stored, Clock()())
            await seat(db, range(count), Clock()())
        for number in range(rounds):
            started, settled = await _round(ruin, number, count)
            ready, over = [*ready, started], [*over, settled]
            tell(f"round {number + 1} of {rounds}: ready after {started:.1f} s, nothing due after {settled:.1f} s")
    return [
        Row(PART, f"kill -9 to /readyz, {stored} stored", median(ready), "s"),
        Row(PART, f"kill -9 until {count} that were due are settled, {stored} stored", median(over), "s"),
    ]


async def _round(ruin: Ruin, number: int, count: int) -> tuple[float, float]:
    """Seconds from the death: until it is ready, and until nothing is due."""
    await ruin.meta.begin()
    async with ruin.database() as db:
        keys = await due(db, range(count), f"due-{number}", Clock()())
    died = await ruin.fall()
    await ruin.gateway.start()
    ready = time.monotonic()
    async with ruin.database() as db:
        await _settled(db, keys)
        settled = time.monotonic()
        await _account_for(db, keys, ruin.meta)
    return ready - died, settled - died


async def _settled(db: Db, keys: list[str]) -> None:
    async def rested() -> bool:
        return all("done_at" in one for one in await read(db, keys))

    try:
        await until(rested, PATIENCE)
    except TimeoutError:
        raise Lost(f"not everything that was due was settled within {PATIENCE:.0f} s") from None


async def _account_for(db: Db, keys: list[str], meta: Meta) -> None:
    """What was in the very moment of being sent may not have been; all others have to be, and none twice."""
    times = taken(await meta.book())
    if twice := [key for key in keys if times[key] > 1]:
        raise Lost(f"sent twice: {twice[:3]}")
    missing = {"_id": {"$in": [key for key in keys if not times[key]]}}
    forgotten = [one["_id"] async for one in db["notifications"].find(missing) if not _in_doubt(one)]
    if forgotten:
        raise Lost(f"{len(forgotten)} were not sent: {forgotten[:3]}")


def _in_doubt(notification: dict[str, Any]) -> bool:
    return any("unsure_from" in attempt for attempt in notification.get("attempts", []))


@asynccontextmanager
async def _opened() -> AsyncIterator[Ruin]:
    """The gateway is not started yet."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-")))
        given, name = "", "gateway"
        if "MONGODB_URI" in os.environ:
            place = await stack.enter_async_context(opened_place())
            given, name = place.uri, place.name
        port = free_port()
        meta = Meta(folder, webhooks_of(port), 0.2)
        stack.push_async_callback(meta.kill)
        await meta.start()
        own = {"MONGODB_URI": given, "GATEWAY_DATABASE": name, "GATEWAY_FOLDER": str(folder), **SOON}
        gateway = Gateway(folder, port, own | settings(folder, meta.url, port))
        stack.push_async_callback(gateway.kill)
        yield Ruin(folder, given, name, gateway, meta)

"""Measures the time until a gateway is ready again after kill -9, with much stored and some of it due."""

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
from tests.benchmarks.load.sending import PATIENCE, Lost, counts_by_message, read_stories
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.setup.data import add_due, fill, open_conversations
from tests.benchmarks.setup.setup import Gateway, Meta, opened_database, settings, webhooks_of
from tests.support.client import until

PART = "restart"
SOON = {"GATEWAY_LEASE": "3", "GATEWAY_DOUBT": "3"}
"""Seconds until the dead process's work is taken over, which do not change the time of the start."""


@dataclass(frozen=True)
class RestartSetup:
    """A gateway with its own embedded database as a child process, unless `uri` names another one."""

    folder: Path
    uri: str
    name: str
    gateway: Gateway
    meta: Meta

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Db]:
        db = connect(self.uri or (self.folder / "uri").read_text(), self.name)
        try:
            yield db
        finally:
            db.client.close()

    async def kill_all(self) -> float:
        """Kill the gateway with its children. Returns the time at which all were dead."""
        gateway = psutil.Process(self.gateway.pid)
        processes = [gateway, *gateway.children(recursive=True)]
        for process in processes:
            process.kill()
        await self.gateway.kill()
        psutil.wait_procs(processes, timeout=10)
        return time.monotonic()


async def measure(*, rounds: int, quick: bool, stored: int | None = None, count: int = 300) -> list[Row]:
    """Return the rows. `count` messages are due. Raises Lost if one of them was sent twice or forgotten."""
    stored_count = stored or (5000 if quick else 100_000)
    ready_times, settled_times = list[float](), list[float]()
    async with _opened_setup() as setup:
        await setup.gateway.start()
        tell(f"storing {stored_count}")
        async with setup.database() as db:
            await fill(db, 0, stored_count, Clock()())
            await open_conversations(db, range(count), Clock()())
        for number in range(rounds):
            ready, settled_after = await _round(setup, number, count)
            ready_times, settled_times = [*ready_times, ready], [*settled_times, settled_after]
            tell(f"round {number + 1} of {rounds}: ready after {ready:.1f} s, nothing due after {settled_after:.1f} s")
    return [
        Row(PART, f"kill -9 to /readyz, {stored_count} stored", median(ready_times), "s"),
        Row(
            PART, f"kill -9 until {count} that were due are settled, {stored_count} stored", median(settled_times), "s"
        ),
    ]


async def _round(setup: RestartSetup, number: int, count: int) -> tuple[float, float]:
    """Kill and start the gateway. Returns the seconds from the death until it is ready, and until nothing is due."""
    await setup.meta.begin()
    async with setup.database() as db:
        keys = await add_due(db, range(count), f"due-{number}", Clock()())
    death = await setup.kill_all()
    await setup.gateway.start()
    ready_at = time.monotonic()
    async with setup.database() as db:
        await _wait_until_settled(db, keys)
        settled_at = time.monotonic()
        await _account_for(db, keys, setup.meta)
    return ready_at - death, settled_at - death


async def _wait_until_settled(db: Db, keys: list[str]) -> None:
    async def all_settled() -> bool:
        return all({"tried_at", "done_at"} & story.keys() for story in await read_stories(db, keys))

    try:
        await until(all_settled, PATIENCE)
    except TimeoutError:
        raise Lost(f"not everything that was due was settled within {PATIENCE:.0f} s") from None


async def _account_for(db: Db, keys: list[str], meta: Meta) -> None:
    """Check that each was sent once. Only those that were just being sent may be missing. Raises Lost."""
    times = counts_by_message(await meta.book())
    if twice := [key for key in keys if times[key] > 1]:
        raise Lost(f"sent twice: {twice[:3]}")
    missing = {"_id": {"$in": [key for key in keys if not times[key]]}}
    forgotten = [
        notification["_id"] async for notification in db["notifications"].find(missing) if not _in_doubt(notification)
    ]
    if forgotten:
        raise Lost(f"{len(forgotten)} were not sent: {forgotten[:3]}")


def _in_doubt(notification: dict[str, Any]) -> bool:
    return any("unsure_from" in attempt for attempt in notification.get("attempts", []))


@asynccontextmanager
async def _opened_setup() -> AsyncIterator[RestartSetup]:
    """Yield the setup with the gateway not yet started."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-")))
        uri, name = "", "gateway"
        if "MONGODB_URI" in os.environ:
            database = await stack.enter_async_context(opened_database())
            uri, name = database.uri, database.name
        port = free_port()
        meta = Meta(folder, webhooks_of(port), 0.2)
        stack.push_async_callback(meta.kill)
        await meta.start()
        own = {"MONGODB_URI": uri, "GATEWAY_DATABASE": name, "GATEWAY_FOLDER": str(folder), **SOON}
        gateway = Gateway(folder, port, own | settings(folder, meta.url, port))
        stack.push_async_callback(gateway.kill)
        yield RestartSetup(folder, uri, name, gateway, meta)

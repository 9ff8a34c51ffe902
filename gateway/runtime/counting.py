"""What a process has counted is added to the database every few seconds, whether it is a worker or the web."""

import asyncio
from contextlib import suppress

from gateway.runtime.runtime import Runtime
from storage.engine.database import DatabaseError


async def write_counts(runtime: Runtime) -> None:
    """Add what this process has counted to the database. What cannot be written in time is lost."""
    with suppress(DatabaseError, TimeoutError):
        async with asyncio.timeout(runtime.settings.tuning.heartbeat_every.total_seconds()):
            await runtime.counts.write(runtime.db, runtime.clock())
            await runtime.flows.write(runtime.db, runtime.clock())


async def write_regularly(runtime: Runtime, stop: asyncio.Event) -> None:
    """Write what this process has counted until `stop`, and a last time then."""
    every = runtime.settings.tuning.heartbeat_every.total_seconds()
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
        await write_counts(runtime)

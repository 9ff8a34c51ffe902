"""Heartbeats: every worker reports when its loops last went on, so that a loop that hangs shows."""

import asyncio
import os
import socket
import time
from contextlib import suppress
from datetime import timedelta
from secrets import token_hex

from gateway.runtime.runtime import Runtime
from storage.accounts import heartbeats
from storage.accounts.heartbeats import Heartbeat
from storage.engine.database import DatabaseError


async def workers(runtime: Runtime) -> int:
    """Return how many workers, of all processes, are working. Raises DatabaseError."""
    return len(await heartbeats.alive(runtime.db, runtime.clock() - runtime.settings.tuning.heartbeat_stale))


def hangs(runtime: Runtime) -> bool:
    """Tell whether this process has a worker and one of its loops hangs."""
    silent = silence(runtime)
    return silent is not None and silent > runtime.settings.tuning.heartbeat_stale


def silence(runtime: Runtime) -> timedelta | None:
    """Return how long ago the slowest loop of this process last went on; None where it has no worker."""
    return timedelta(seconds=time.monotonic() - min(runtime.heartbeats.values())) if runtime.heartbeats else None


async def beat(runtime: Runtime, stop: asyncio.Event) -> None:
    """Write this process's heartbeat regularly until `stop`, then remove it."""
    key = f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
    while not stop.is_set():
        every = runtime.settings.tuning.heartbeat_every.total_seconds()
        silent = silence(runtime) or timedelta(0)
        heartbeat = Heartbeat(key, runtime.clock() - silent)
        with suppress(DatabaseError, TimeoutError):
            async with asyncio.timeout(every):
                await heartbeats.beat(runtime.db, heartbeat)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)
    with suppress(DatabaseError, TimeoutError):
        async with asyncio.timeout(1):
            await heartbeats.remove(runtime.db, key)

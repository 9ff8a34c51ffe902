"""Is there a worker that goes on working? Each tells it of itself, by what its loops do and by no clock of its own."""

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

EVERY = timedelta(seconds=5)

STALE = timedelta(seconds=60)
"""A loop that has not gone on for so long hangs: whatever it waits for ends sooner."""


async def workers(runtime: Runtime) -> int:
    """How many of all processes' workers go on working. Raises DatabaseError."""
    return len(await heartbeats.alive(runtime.db, runtime.clock() - STALE))


def hangs(runtime: Runtime) -> bool:
    """Is there a worker in this process, and does it not go on?"""
    silent = silence(runtime)
    return silent is not None and silent > STALE


def silence(runtime: Runtime) -> timedelta | None:
    """For how long the slowest loop of this process has not gone on; None: there is no worker in it."""
    return timedelta(seconds=time.monotonic() - min(runtime.heartbeats.values())) if runtime.heartbeats else None


async def beat(runtime: Runtime, stop: asyncio.Event) -> None:
    """Tell the others that we are alive, until `stop`."""
    key = f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
    while not stop.is_set():
        silent = silence(runtime) or timedelta(0)
        heart = Heartbeat(key, runtime.clock() - silent)
        with suppress(DatabaseError, TimeoutError):
            async with asyncio.timeout(EVERY.total_seconds()):
                await heartbeats.beat(runtime.db, heart)
                await runtime.counts.write(runtime.db, runtime.clock())
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY.total_seconds())
    with suppress(DatabaseError, TimeoutError):
        async with asyncio.timeout(1):
            await heartbeats.remove(runtime.db, key)

"""A worker whose loop stands still says since when, and not that it is well."""

import asyncio
import time
from datetime import timedelta

from gateway.runtime.heartbeat import beat
from storage.accounts import heartbeats
from tests.support.client import ApiClient, until


async def test_the_heartbeat_is_as_old_as_the_slowest_loop(demo: ApiClient) -> None:
    runtime, stop = demo.environment.runtime, asyncio.Event()
    now, known = runtime.clock(), {each.id for each in await heartbeats.alive(runtime.db, runtime.clock())}
    runtime.heartbeats["standing still"] = time.monotonic() - 30
    beating = asyncio.create_task(beat(runtime, stop))

    async def new() -> timedelta | None:
        found = await heartbeats.alive(runtime.db, now - timedelta(minutes=1))
        ages = [now - each.at for each in found if each.id not in known]
        return max(ages) if ages and max(ages) > timedelta(seconds=10) else None

    assert timedelta(seconds=15) < await until(new) < timedelta(seconds=45)
    stop.set()
    await beating

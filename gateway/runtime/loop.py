"""One queue's loop: take what is due as far as there is room, many things at once, those of one lane in their order.

It ends when it is told to: what has begun is finished, what has not is given back for others.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from storage.documents.queue import renew
from storage.engine.database import DatabaseError

log = logging.getLogger(__name__)

POLL = 0.5
"""Seconds between looks at a queue when nothing rings: for what falls due, and for the work of other processes."""

AT_ONCE = 1200
"""Items under way in one process, for each of its queues."""

ENOUGH = AT_ONCE // 12
"""Room that has to be there before a full queue is looked at again: taking one at a time would cost as much as many."""

DEEP = 5
"""So many notifications of one person may be under way or waiting in one process; others wait in the queue."""

LAST = 0.7
"""The part of the time for ending in which what is under way may end by itself."""


@dataclass(frozen=True)
class Item:
    """Something to do. Those of one lane are done one after another, in the order in which they were taken.

    back: gives it back to its queue, for whoever takes it next.
    later: puts it back for a while, where too many are in its lane already; events keep their order in the lane.
    """

    id: str
    lane: str
    lease: str
    work: Callable[[], Awaitable[None]]
    back: Callable[[], Awaitable[None]]
    later: Callable[[], Awaitable[None]] | None = None


class Lane(asyncio.Lock):
    """One after another. `waiting`: how many are in it; `left`: how many were left to the queue unfinished."""

    waiting = 0
    left = 0


Take = Callable[[Runtime, int, Container[str]], Awaitable[Sequence[Item]]]
"""Takes up to so many items, knowing which ones this process works on already."""


async def loop(runtime: Runtime, queue: str, take: Take, bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Take as much as there is room for; look again at once while that was all used, else when the bell rings."""
    under_way: dict[asyncio.Task[None], Item] = {}
    metrics.UNDER_WAY.labels(queue).set_function(under_way.__len__)
    lanes: WeakValueDictionary[str, Lane] = WeakValueDictionary()
    renewing = asyncio.create_task(_renewing(runtime, queue, under_way))
    while not stop.is_set():
        bell.clear()
        runtime.heartbeats[queue] = time.monotonic()
        room = AT_ONCE - len(under_way)
        taken = await _taken(runtime, take, room, {item.id for item in under_way.values()})
        for item in taken:
            task = asyncio.create_task(_in_lane(item, lanes.setdefault(item.lane, Lane()), stop))
            under_way[task] = item
            task.add_done_callback(under_way.pop)
        while AT_ONCE - len(under_way) < ENOUGH and not stop.is_set():
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            runtime.heartbeats[queue] = time.monotonic()
        if len(taken) < room // 2:
            await _rung(bell, stop)
    await _ended(runtime, queue, under_way)
    renewing.cancel()
    with suppress(asyncio.CancelledError):
        await renewing


async def _ended(runtime: Runtime, queue: str, under_way: Mapping[asyncio.Task[None], Item]) -> None:
    """Let what is under way end. What does not is left: its lease runs out, and others find it as after a crash."""
    left: set[asyncio.Task[None]] = set()
    if under_way:
        _, left = await asyncio.wait(set(under_way), timeout=runtime.settings.stop_within.total_seconds() * LAST)
    if left:
        log.warning("%s: %d are left as they are, since we have to end", queue, len(left))
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _renewing(runtime: Runtime, queue: str, under_way: Mapping[Any, Item]) -> None:
    """While we live, what we work on or have waiting in a lane is ours, however long it takes."""
    lease = runtime.settings.lease
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        with suppress(DatabaseError):
            leases = {item.lease for item in under_way.values()}
            await renew(runtime.db[queue], leases, runtime.clock() + lease)


async def _taken(runtime: Runtime, take: Take, room: int, own: Container[str]) -> Sequence[Item]:
    try:
        return await take(runtime, room, own)
    except DatabaseError as error:
        log.warning("the database does not answer: %s", error)
        await asyncio.sleep(POLL)
        return []


async def _in_lane(item: Item, lane: Lane, stop: asyncio.Event) -> None:
    """What goes wrong here stays in the queue: its lease runs out and it is taken again; what was taken behind it goes
    back, too, and does not overtake it.
    """
    lane.waiting += 1
    left = lane.left
    try:
        if item.later and lane.waiting > DEEP:  # they would take the room of others
            await item.later()
            return
        async with lane:
            await (item.back() if stop.is_set() or lane.left > left else item.work())
    except DatabaseError as error:
        lane.left += 1
        log.warning("%s: the database does not answer: %s", item.lane, error)
    except Exception:
        lane.left += 1
        log.exception("%s: this should not have happened", item.lane)
    finally:
        lane.waiting -= 1


async def _rung(bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Return when the bell rings, we are to stop, or it is time to look anyway."""
    waiting = [asyncio.create_task(bell.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waiting, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()

"""A queue's loop: it takes due items as far as there is room and works on many at once, on those of a lane in order.

When it stops, items that have begun are finished, and others are given back to the queue.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
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
"""Seconds between polls of a queue whose bell does not ring: items fall due, or come from other processes."""

AT_ONCE = 1200
"""Items under way in one process, for each of its queues."""

ENOUGH = AT_ONCE // 12
"""Room that a full loop waits for before it polls again: taking one item costs as much as taking many."""

DEEP = 5
"""Notifications of one person that may be under way or waiting in one process; others wait in the queue."""

LAST = 0.7
"""The share of `stop_within` in which items under way may end by themselves."""


@dataclass(frozen=True)
class Item:
    """An item of a queue. Items of one lane are worked on one after another, in the order in which they were taken.

    back: gives the item back to its queue, for the next one who takes it. ready: whether it may be worked on when its
    turn comes; else it is given back then.
    later: puts it back for a while, where too many are in its lane already. Lanes that must keep their order
    have none.
    """

    id: str
    lane: str
    lease: str
    work: Callable[[], Awaitable[None]]
    back: Callable[[], Awaitable[None]]
    later: Callable[[], Awaitable[None]] | None = None
    ready: bool = True


class Lane(asyncio.Lock):
    """Serialises the items of a lane. waiting: how many are in it. left: how many were left to the queue unfinished."""

    waiting = 0
    left = 0


Own = Callable[[], set[str]]
"""Returns the ids that this process works on at this moment."""

Take = Callable[[Runtime, int, Own], Awaitable[Sequence[Item]]]
"""Takes up to so many items from the queue.

What it decides by the ids that we work on must hold when it returns: the items enter their lanes at that moment.
"""


async def loop(runtime: Runtime, queue: str, take: Take, bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Work on a queue until `stop`: poll again at once while most of the room was used, else when the bell rings."""
    under_way: dict[asyncio.Task[None], Item] = {}
    metrics.UNDER_WAY.labels(queue).set_function(under_way.__len__)
    lanes: WeakValueDictionary[str, Lane] = WeakValueDictionary()
    renewal = asyncio.create_task(_renew_leases(runtime, queue, under_way))

    def own() -> set[str]:
        return {item.id for item in under_way.values()}

    while not stop.is_set():
        bell.clear()
        runtime.heartbeats[queue] = time.monotonic()
        room = AT_ONCE - len(under_way)
        items = await _take_items(runtime, take, room, own)
        for item in items:
            lane = lanes.setdefault(item.lane, Lane())
            task = asyncio.create_task(_in_lane(item, lane, lane.left, stop, under_way))
            under_way[task] = item
            task.add_done_callback(lambda ended: under_way.pop(ended, None))
        while AT_ONCE - len(under_way) < ENOUGH and not stop.is_set():
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            runtime.heartbeats[queue] = time.monotonic()
        if len(items) < room // 2:
            await _wait_for_bell(bell, stop)
    await _finish(runtime, queue, under_way)
    renewal.cancel()
    with suppress(asyncio.CancelledError):
        await renewal


async def _finish(runtime: Runtime, queue: str, under_way: Mapping[asyncio.Task[None], Item]) -> None:
    """Wait for items under way to end, and cancel those that do not: they are found again as after a crash."""
    left: set[asyncio.Task[None]] = set()
    if under_way:
        _, left = await asyncio.wait(set(under_way), timeout=runtime.settings.stop_within.total_seconds() * LAST)
    if left:
        log.warning("%s: %d are left as they are, since we have to end", queue, len(left))
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _renew_leases(runtime: Runtime, queue: str, under_way: Mapping[Any, Item]) -> None:
    """Renew the leases of all items under way or waiting in a lane, for as long as this process lives."""
    lease = runtime.settings.lease
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        with suppress(DatabaseError):
            leases = {item.lease for item in under_way.values()}
            await renew(runtime.db[queue], leases, runtime.clock() + lease)


async def _take_items(runtime: Runtime, take: Take, room: int, own: Own) -> Sequence[Item]:
    try:
        return await take(runtime, room, own)
    except DatabaseError as error:
        log.warning("the database does not answer: %s", error)
        await asyncio.sleep(POLL)
        return []


async def _in_lane(
    item: Item, lane: Lane, left: int, stop: asyncio.Event, under_way: dict[asyncio.Task[None], Item]
) -> None:
    """Work on an item when its turn comes. left: how many were left in the lane when it was taken.

    If it fails, it stays in the queue: its lease runs out, and it is taken again. Items that were taken behind it are
    given back too, so that they do not overtake it. It ceases to be under way in the moment in which it counts as left:
    what is taken behind it until then is given back, what is taken later finds it in the queue.
    """
    lane.waiting += 1
    is_left = True
    try:
        if item.later and lane.waiting > DEEP:  # they would take the room of others
            is_left = False
            await item.later()
            return
        async with lane:
            if item.ready and lane.left == left and not stop.is_set():
                await item.work()
                is_left = False
            else:
                await item.back()
    except DatabaseError as error:
        log.warning("%s: the database does not answer: %s", item.lane, error)
    except Exception:
        log.exception("%s: this should not have happened", item.lane)
    finally:
        lane.waiting -= 1
        lane.left += is_left
        if task := asyncio.current_task():
            under_way.pop(task, None)


async def _wait_for_bell(bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Return when the bell rings, `stop` is set, or POLL seconds have passed."""
    tasks = [asyncio.create_task(bell.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(tasks, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()

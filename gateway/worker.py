"""The loops: take what is due from the inbox and the outbox, and work on it. Any number of processes may run them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from structlog.contextvars import bind_contextvars

from gateway import dispatcher, inbound, metrics
from gateway.notification import Notification, Priority
from gateway.runtime import Runtime
from storage.database import DatabaseError, insist
from storage.inbox import Delivered
from storage.queue import renew

log = logging.getLogger(__name__)

POLL = 0.5
"""Seconds between looks at a queue when nothing rings: for what falls due, and for the work of other processes."""

AT_ONCE = 1200
"""Items under way in one process, for each of the two queues."""

ENOUGH = AT_ONCE // 12
"""Room that has to be there before a full queue is looked at again: taking one at a time would cost as much as many."""

SPARE = {Priority.REPLY: 0, Priority.URGENT: 100, Priority.NORMAL: 200, Priority.BULK: 400}
"""Room that each priority leaves to those before it."""

DEEP = 5
"""So many notifications of one person may be under way or waiting in one process; others wait in the queue."""

LONGER = timedelta(seconds=1)

AT_MOST = 60
"""Seconds that working on one event may take: a bot that hangs must not hold up its conversation for ever."""

PUT_BACK = timedelta(seconds=0.3)
"""When an event comes round again whose conversation has an earlier one in another process's hands."""

PAUSES = (0.3, 2, 5)
"""Seconds between tries of an event that fails; the later ones of its conversation wait, to keep their order."""

LATER = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Then it is put off, out of the others' way; and then left in the inbox to be looked at."""


@dataclass(frozen=True)
class Item:
    """Something to do. Those of one lane are done one after another, in the order in which they were taken.

    later: puts it back into its queue, where too many are in its lane already; events keep their order in the lane.
    """

    id: str
    lane: str
    lease: str
    work: Callable[[], Awaitable[None]]
    later: Callable[[], Awaitable[None]] | None = None


class Lane(asyncio.Lock):
    """One after another. `waiting`: how many are in it."""

    waiting = 0


Take = Callable[[Runtime, int, Container[str]], Awaitable[Sequence[Item]]]
"""Takes up to so many items, knowing which ones this process works on already."""


async def run(runtime: Runtime, stop: asyncio.Event) -> None:
    """Work until `stop`, then finish what is under way."""
    await insist(runtime.outbox.rehome, runtime.gate.all_lanes())
    async with asyncio.TaskGroup() as loops:
        loops.create_task(_loop(runtime, "inbox", take_events, runtime.inbox_bell, stop))
        loops.create_task(_loop(runtime, "notifications", take_notifications, runtime.outbox_bell, stop))


async def take_events(runtime: Runtime, room: int, own: Container[str]) -> Sequence[Item]:
    """Events that are due, in the order in which they came; those of one conversation by one process at a time."""
    now = runtime.clock()
    claimed = await runtime.inbox.claim(now, runtime.settings.lease, room)
    taken = [item for item in claimed if item.id not in own]
    for item in taken:
        metrics.QUEUE_AGE.labels("inbox").observe((now - item.at).total_seconds())
    if early := await runtime.inbox.too_early(taken, own):
        await runtime.inbox.put_back(early, now + PUT_BACK)
    return [
        Item(item.id, item.event.lane, item.lease, partial(_work_event, runtime, item))
        for item in taken
        if item.id not in early
    ]


async def take_notifications(runtime: Runtime, room: int, _: Container[str]) -> Sequence[Item]:
    """Notifications that are due, answers to people first, as far as their accounts have room."""
    now, ids = runtime.clock(), list[str]()
    await runtime.gate.holds.refresh()
    for priority, lane in runtime.gate.lanes(now):
        wanted = min(room - SPARE[priority] - len(ids), runtime.gate.room(lane, priority, now))
        if wanted > 0:
            found = await runtime.outbox.due(lane, now, wanted)
            ids += found
            if not found:
                runtime.gate.emptied(lane)
    taken = await runtime.outbox.claim(ids, now, runtime.settings.lease)
    for new in (item for item in taken if not item.decisions):
        metrics.QUEUE_AGE.labels("notifications").observe((now - (new.send_at or new.created_at)).total_seconds())
    return [
        Item(
            item.id,
            item.person or item.id,
            item.lease or "",
            partial(_work_notification, runtime, item),
            partial(dispatcher.given_back, runtime, item, now + LONGER),
        )
        for item in taken
    ]


async def _loop(runtime: Runtime, queue: str, take: Take, bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Take as much as there is room for; look again at once while that was all used, else when the bell rings."""
    under_way: dict[asyncio.Task[None], Item] = {}
    metrics.UNDER_WAY.labels(queue).set_function(under_way.__len__)
    lanes: WeakValueDictionary[str, Lane] = WeakValueDictionary()
    renewing = asyncio.create_task(_renewing(runtime, queue, under_way))
    while not stop.is_set():
        bell.clear()
        room = AT_ONCE - len(under_way)
        taken = await _taken(runtime, take, room, {item.id for item in under_way.values()})
        for item in taken:
            task = asyncio.create_task(_in_lane(item, lanes.setdefault(item.lane, Lane())))
            under_way[task] = item
            task.add_done_callback(under_way.pop)
        while AT_ONCE - len(under_way) < ENOUGH and not stop.is_set():
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        if len(taken) < room // 2:
            await _rung(bell, stop)
    await asyncio.gather(*under_way)
    renewing.cancel()
    with suppress(asyncio.CancelledError):
        await renewing


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


async def _in_lane(item: Item, lane: Lane) -> None:
    """What goes wrong here stays in the queue: its lease runs out and it is taken again."""
    lane.waiting += 1
    try:
        if item.later and lane.waiting > DEEP:  # they would take the room of others
            await item.later()
            return
        async with lane:
            await item.work()
    except DatabaseError as error:
        log.warning("%s: the database does not answer: %s", item.lane, error)
    except Exception:
        log.exception("%s: this should not have happened", item.lane)
    finally:
        lane.waiting -= 1


async def _work_notification(runtime: Runtime, item: Notification) -> None:
    bind_contextvars(message_id=item.id)
    try:
        await dispatcher.work(runtime, item)
    except DatabaseError:
        await dispatcher.given_back(runtime, item)
        raise
    except Exception as error:
        log.exception("%s: the notification could not be worked on", item.id)
        await dispatcher.broken(runtime, item.id, error)


async def _work_event(runtime: Runtime, item: Delivered) -> None:
    bind_contextvars(event_id=item.id)
    for pause in (*PAUSES, None):
        try:
            async with asyncio.timeout(AT_MOST):
                await inbound.work(runtime, item.event)
        except DatabaseError:
            await insist(runtime.inbox.given_back, item, runtime.clock())
            raise
        except Exception as error:
            log.exception("%s: the event could not be worked on", item.id)
            if pause is None:
                await _put_off(runtime, item, error)
                return
            await asyncio.sleep(pause)
        else:
            await runtime.inbox.done(item.id, runtime.clock())
            return


async def _put_off(runtime: Runtime, item: Delivered, error: Exception) -> None:
    now = runtime.clock()
    again_at = now + LATER[item.tries] if item.tries < len(LATER) else None
    await runtime.inbox.failed(item, f"{type(error).__name__}: {error}", now, again_at)


async def _rung(bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Return when the bell rings, we are to stop, or it is time to look anyway."""
    waiting = [asyncio.create_task(bell.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waiting, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()

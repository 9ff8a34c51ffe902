"""The loops: take what is due from the inbox and the outbox, and work on it. Any number of processes may run them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

from gateway import dispatcher, inbound
from gateway.notification import Notification
from gateway.runtime import Runtime
from storage import notifications
from storage.database import DatabaseError
from storage.inbox import Delivered

log = logging.getLogger(__name__)

POLL = 0.5
"""Seconds between looks at a queue when nothing rings: for what falls due, and for the work of other processes."""

AT_ONCE = 200
"""Items under way in one process, for each of the two queues."""

PAUSES = (0.3, 2, 5)
"""Seconds between tries of an event that fails; the later ones of its conversation wait, to keep their order."""

LATER = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Then it is put off, out of the others' way; and then left in the inbox to be looked at."""


@dataclass(frozen=True)
class Item:
    """Something to do. Those of one lane are done one after another, in the order in which they were taken."""

    lane: str
    work: Coroutine[Any, Any, None]


Take = Callable[[Runtime, int], Awaitable[Sequence[Item]]]


async def run(runtime: Runtime, stop: asyncio.Event) -> None:
    """Work until `stop`, then finish what is under way."""
    async with asyncio.TaskGroup() as loops:
        loops.create_task(_loop(runtime, take_events, runtime.inbox_bell, stop))
        loops.create_task(_loop(runtime, take_notifications, runtime.outbox_bell, stop))


async def take_events(runtime: Runtime, room: int) -> Sequence[Item]:
    """Events that are due, in the order in which they came."""
    taken = await runtime.inbox.claim(runtime.clock(), runtime.settings.lease, room)
    return [Item(item.event.lane, _work_event(runtime, item)) for item in taken]


async def take_notifications(runtime: Runtime, room: int) -> Sequence[Item]:
    """Notifications that are due."""
    taken = await notifications.claim(runtime.db, runtime.clock(), runtime.settings.lease, room)
    return [Item(_lane(item), dispatcher.work(runtime, item)) for item in taken]


def _lane(notification: Notification) -> str:
    to = notification.recipient
    return to.session or to.contact or to.phone or to.external_id or notification.id


async def _loop(runtime: Runtime, take: Take, bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Take as much as there is room for; look again at once while that was all used, else when the bell rings."""
    under_way: set[asyncio.Task[None]] = set()
    lanes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
    while not stop.is_set():
        bell.clear()
        room = AT_ONCE - len(under_way)
        taken = await _taken(runtime, take, room)
        for item in taken:
            task = asyncio.create_task(_in_lane(item, lanes.setdefault(item.lane, asyncio.Lock())))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if len(taken) < room:
            await _rung(bell, stop)
        else:
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*under_way)


async def _taken(runtime: Runtime, take: Take, room: int) -> Sequence[Item]:
    try:
        return await take(runtime, room)
    except DatabaseError as error:
        log.warning("the database does not answer: %s", error)
        await asyncio.sleep(POLL)
        return []


async def _in_lane(item: Item, lane: asyncio.Lock) -> None:
    """What goes wrong here stays in the queue: its lease runs out and it is taken again."""
    async with lane:
        try:
            await item.work
        except DatabaseError as error:
            log.warning("%s: the database does not answer: %s", item.lane, error)
        except Exception:
            log.exception("%s: this should not have happened", item.lane)


async def _work_event(runtime: Runtime, item: Delivered) -> None:
    for pause in (*PAUSES, None):
        try:
            await inbound.work(runtime, item.event)
        except DatabaseError:
            raise
        except Exception as error:
            log.exception("%s: the event could not be worked on", item.id)
            if pause is None:
                await _put_off(runtime, item, error)
                return
            await asyncio.sleep(pause)
        else:
            await runtime.inbox.done([item.id], runtime.clock())
            return


async def _put_off(runtime: Runtime, item: Delivered, error: Exception) -> None:
    at = runtime.clock() + LATER[item.tries] if item.tries < len(LATER) else None
    await runtime.inbox.failed(item, f"{type(error).__name__}: {error}", at)


async def _rung(bell: asyncio.Event, stop: asyncio.Event) -> None:
    """Return when the bell rings, we are to stop, or it is time to look anyway."""
    waiting = [asyncio.create_task(bell.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waiting, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()

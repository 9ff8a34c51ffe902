"""The worker: it works on what is due in every queue. Any number of processes may run it."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from structlog.contextvars import bind_contextvars

from gateway.conversations import inbound
from gateway.domain.model.notification import Notification, Priority
from gateway.messages.callbacks import callbacks
from gateway.messages.callbacks.hosts import Hosts
from gateway.messages.delivery import dispatcher
from gateway.messages.jobs import batches, reader
from gateway.messages.media import keeping
from gateway.messages.templates.syncing import sync_regularly
from gateway.runtime.counting import write_counts, write_regularly
from gateway.runtime.heartbeat import beat
from gateway.runtime.loop import Item, Own, loop
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from gateway.runtime.telemetry.spans import span
from storage.engine.database import DatabaseError, insist
from storage.messages.inbox import Delivered, too_early
from storage.pending_files import PendingFiles

log = logging.getLogger(__name__)

SPARE = {Priority.REPLY: 0, Priority.URGENT: 100, Priority.NORMAL: 200, Priority.BULK: 400}
"""Items of room that a priority leaves free for those before it."""

CROWDED = timedelta(seconds=1)
"""After which a notification is due again that found too many of its person's in this process."""

PUT_BACK = timedelta(seconds=0.3)
"""After which an event is due again while another process works on an earlier one of its conversation."""

LATER = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""After which an event that keeps failing is tried again, out of the others' way; then it becomes a dead letter."""


async def run(runtime: Runtime, stop: asyncio.Event) -> None:
    """Run all loops until `stop`, then finish what is under way, as far as it ends within Settings.stop_within."""
    await insist(runtime.outbox.rehome, runtime.gate.all_lanes())
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop(runtime, "inbox", take_events, runtime.inbox_bell, stop))
        loops.create_task(loop(runtime, "notifications", take_notifications, runtime.outbox_bell, stop))
        loops.create_task(
            loop(runtime, "callbacks", partial(callbacks.take, hosts=Hosts()), runtime.callback_bell, stop)
        )
        loops.create_task(loop(runtime, "batches", partial(batches.take, submitted={}), runtime.job_bell, stop))
        read = partial(reader.take, queue=PendingFiles(runtime.db))
        loops.create_task(loop(runtime, "pending_files", read, runtime.rows_bell, stop))
        if runtime.settings.media_kept:
            fetch = partial(keeping.take, at_once=asyncio.Semaphore(keeping.AT_ONCE))
            loops.create_task(loop(runtime, "files", fetch, runtime.file_bell, stop))
        loops.create_task(keeping.sweep_regularly(runtime, stop))
        loops.create_task(beat(runtime, stop))
        loops.create_task(runtime.pace.keep(stop))
        loops.create_task(write_regularly(runtime, stop))
        loops.create_task(sync_regularly(runtime, stop))
    await write_counts(runtime)
    runtime.heartbeats.clear()


async def take_events(runtime: Runtime, room: int, own: Own) -> Sequence[Item]:
    """Take events that are due, in the order in which they came; one process at a time works on a conversation."""
    now = runtime.clock()
    items = await runtime.inbox.claim(now, runtime.settings.lease, room, own())
    unfinished = await runtime.inbox.unfinished(items)
    early = too_early(items, unfinished, own())  # nothing is awaited from here on: an own one may be left meanwhile
    for item in items:
        metrics.QUEUE_AGE.labels("inbox").observe((now - item.at).total_seconds())
    return [
        Item(
            item.id,
            item.event.lane,
            item.lease,
            partial(work_event, runtime, item),
            partial(runtime.inbox.put_back, item, now + PUT_BACK if item.id in early else now),
            ready=item.id not in early,
        )
        for item in items
    ]


async def take_notifications(runtime: Runtime, room: int, own: Own) -> Sequence[Item]:
    """Take notifications that are due, replies to people first, as far as their accounts have room."""
    now, ids = runtime.clock(), list[str]()
    await runtime.gate.holds.refresh()
    of_mailings = runtime.pace.free(own())
    for priority, lane in runtime.gate.lanes(now):
        limit = min(room - SPARE[priority] - len(ids), runtime.gate.room(lane, priority, now))
        if priority is Priority.BULK:
            limit = min(limit, of_mailings)
        if limit > 0:
            due = await runtime.outbox.due(lane, now, limit)
            ids += due
            of_mailings -= len(due) if priority is Priority.BULK else 0
            if not due:
                runtime.gate.emptied(lane)
    under_way = own()  # those whose lease ran out under us stay as they are
    ids = [key for key in ids if key not in under_way]
    items = await runtime.outbox.claim(ids, now, runtime.settings.lease)
    runtime.pace.begin(item.id for item in items if item.priority is Priority.BULK)
    for new in (item for item in items if not item.decisions):
        metrics.QUEUE_AGE.labels("notifications").observe((now - (new.send_at or new.created_at)).total_seconds())
    return [
        Item(
            item.id,
            item.person or item.id,
            item.lease or "",
            partial(_work_notification, runtime, item),
            partial(dispatcher.give_back, runtime, item),
            partial(dispatcher.give_back, runtime, item, now + CROWDED),
        )
        for item in items
    ]


async def _work_notification(runtime: Runtime, item: Notification) -> None:
    bind_contextvars(message_id=item.id)
    try:
        with span("notification", message_id=item.id):
            await dispatcher.work(runtime, item)
    except DatabaseError:
        await dispatcher.give_back(runtime, item)
        raise
    except Exception as error:
        log.exception("%s: the notification could not be worked on", item.id)
        await dispatcher.postpone_broken(runtime, item.id, error)
    finally:
        if runtime.pace.end(item.id):
            runtime.outbox_bell.set()


async def work_event(runtime: Runtime, item: Delivered) -> None:
    """Work one event of the inbox, again after each of `tuning.event_pauses` while it fails, then keep it as dead."""
    bind_contextvars(event_id=item.id)
    tuning = runtime.settings.tuning
    for pause in (*tuning.event_pauses, None):
        try:
            async with asyncio.timeout(tuning.event_timeout.total_seconds()):
                with span("event", event_id=item.id):
                    now = runtime.clock()
                    await inbound.work(runtime, item.event, now, item.at)
        except DatabaseError:
            await insist(runtime.inbox.put_back, item, runtime.clock())
            raise
        except Exception as error:
            log.exception("%s: the event could not be worked on", item.id)
            if pause is None:
                await _put_off(runtime, item, error)
                return
            await asyncio.sleep(pause.total_seconds())
        else:
            await runtime.inbox.complete(item.id, now)
            return


async def _put_off(runtime: Runtime, item: Delivered, error: Exception) -> None:
    now = runtime.clock()
    again_at = now + LATER[item.tries] if item.tries < len(LATER) else None
    await runtime.inbox.fail(item, f"{type(error).__name__}: {error}", now, again_at)
    if again_at is None:
        metrics.DEAD_LETTERS.labels("events").inc()

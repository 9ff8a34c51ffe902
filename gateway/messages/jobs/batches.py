"""Working off jobs: their rows become messages, batch by batch, and what becomes of those is counted.

A batch is handed over when the one before it has begun, so that a pause is soon felt. The ids of its messages follow
from the row and the round: whatever breaks off is done again and sends nothing twice.
"""

import asyncio
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from gateway.domain.api.request import BulkRequest
from gateway.domain.model.job import BATCH, LATE, Batch, Job, Row, waiting_lane, watched_lane
from gateway.domain.model.notification import Notification, Status
from gateway.messages.accepting.cancel import cancelled
from gateway.messages.accepting.plans import Plan, key_of, planned
from gateway.messages.delivery import recording
from gateway.messages.delivery.reachability import conversations
from gateway.runtime.loop import Item
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from storage import jobs
from storage.messages import links, notifications

WATCHED = 20
"""Batches of one job that are looked at in one go."""

FIRST_LOOK, LAST_LOOK = timedelta(seconds=1), timedelta(minutes=5)
"""The pauses between looks at a batch under way grow from one to the other."""

LATE_LOOKS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 600, 3600, 86_400))
"""And after its end, for the receipts that come then: most within the first minute."""

FAILED = frozenset({Status.UNDELIVERED, Status.EXPIRED, Status.ERROR})
TWICE, SILENT = "another row names the same person", "the person has not written to us"

Handed = dict[str, tuple[str, ...]]
"""Of each job the messages that this process handed over last."""


async def take(runtime: Runtime, room: int, own: Container[str], handed: Handed) -> Sequence[Item]:
    """Batches of all live jobs: those under way, and of each job that runs the next one, if it is time for it."""
    live, claim = await jobs.live(runtime.db), partial(runtime.batches.claim, lease=runtime.settings.lease)
    found = await claim(LATE, runtime.clock(), limit=min(WATCHED, room))
    for job in live:
        now = runtime.clock()
        found += await claim(watched_lane(job.id), now, limit=min(WATCHED, room))
        if job.state == "cancelled":
            found += await claim(waiting_lane(job.id), now, limit=min(WATCHED, room))
        elif job.state == "running" and await _has_begun(runtime, handed.get(job.id, ())):
            found += await claim(waiting_lane(job.id), now, limit=1)
    for gone in handed.keys() - {job.id for job in live}:
        del handed[gone]
    return [
        Item(
            batch.id,
            batch.id,
            batch.lease or "",
            partial(_work, runtime, batch, handed),
            partial(runtime.batches.put, replace(batch, due_at=runtime.clock())),
        )
        for batch in found
        if batch.id not in own
    ]


async def _has_begun(runtime: Runtime, handed: Sequence[str]) -> bool:
    """Have the workers begun with most of what they were handed?"""
    return await notifications.count_new(runtime.db, handed) <= BATCH // 2


async def _work(runtime: Runtime, batch: Batch, handed: Handed) -> None:
    if batch.lane == LATE:
        await _look_late(runtime, batch)
        return
    job, waiting = await jobs.get(runtime.db, batch.job), batch.lane == waiting_lane(batch.job)
    if job is None:
        return
    if waiting and job.state == "paused":
        await runtime.batches.put(replace(batch, due_at=runtime.clock()))
        return
    if waiting and job.state == "running":
        batch = await _handed_over(runtime, job, batch)
        handed[job.id] = batch.ids
        job = await jobs.get(runtime.db, job.id) or job  # it may have been cancelled meanwhile
    if job.state == "cancelled":
        batch = await _cancel(runtime, job, batch)
    await _look(runtime, replace(batch, lane=watched_lane(job.id)))
    if waiting:
        runtime.job_bell.set()


async def _cancel(runtime: Runtime, job: Job, batch: Batch) -> Batch:
    """The batch, with its messages cancelled: also those of a process that ended while it handed them over."""
    change = partial(recording.change, runtime.db, step=lambda old: cancelled(old, runtime.clock()))
    latest = [_message_id(job, batch, place) for place in range(batch.size)]
    made = await asyncio.gather(*(change(key) for key in latest))
    ids = [new if one else old for new, one, old in zip(latest, made, batch.ids or latest, strict=True)]
    await asyncio.gather(*(change(key) for key in set(ids) - set(latest) if key))
    return replace(batch, ids=tuple(ids))


def _scope(job: Job, batch: Batch) -> str:
    return f"job:{batch.id}:{job.round}"


def _message_id(job: Job, batch: Batch, place: int) -> str:
    """The id of the message that comes of a row in this round."""
    return key_of(_scope(job, batch), "messages[0]", place)


async def _handed_over(runtime: Runtime, job: Job, batch: Batch) -> Batch:
    """The batch with its rows turned into messages; of a later round, those that had failed."""
    places = await _failed(runtime, batch) if batch.ids else set(range(batch.size))
    if not places:
        return replace(batch, round=job.round)
    plans = await planned(runtime, _asked(job, batch), f"job:{job.id}", scope=_scope(job, batch))
    chosen = {place: plan for place, plan in enumerate(plans) if place in places}
    faults = await _faults(runtime, job, batch, chosen)
    good = {place: plan for place, plan in chosen.items() if str(place) not in faults}
    made = [replace(one, job_id=job.id, job_at=one.created_at) for plan in good.values() if (one := plan.notification)]
    await links.add(runtime.db, [link for plan in good.values() for link in plan.links])
    await notifications.add(runtime.db, made)
    runtime.outbox_bell.set()
    metrics.ASKED.labels("accepted").inc(len(made))
    metrics.ASKED.labels("refused").inc(len(faults))
    ids = list(batch.ids) or [""] * batch.size
    for place in chosen:
        ids[place] = _message_id(job, batch, place)
    return replace(batch, ids=tuple(ids), faults=faults, round=job.round)


def _asked(job: Job, batch: Batch) -> BulkRequest:
    """All rows, also where some of them are wanted only: a message's id follows from its place."""
    rows = msgspec.json.decode(batch.rows, type=list[Row])
    return BulkRequest(
        messages=[{**msgspec.json.decode(job.message), "destinations": [row.destination for row in rows]}]
    )


async def _failed(runtime: Runtime, batch: Batch) -> set[int]:
    """The places of the rows that came to nothing in the round before."""
    found = await notifications.several(runtime.db, filter(None, batch.ids))
    failed = {key for key, one in found.items() if one.status in FAILED}
    return {place for place, key in enumerate(batch.ids) if key in failed} | set(map(int, batch.faults))


async def _faults(runtime: Runtime, job: Job, batch: Batch, plans: Mapping[int, Plan]) -> dict[str, str]:
    """Why there will be no message for some rows, by their place."""
    faults = {str(place): _words(plan) for place, plan in plans.items() if plan.error}
    if job.kind != "advertising":
        return faults
    made = {place: plan.notification for place, plan in plans.items() if plan.notification}
    heard = await asyncio.gather(*(_has_written(runtime, one) for one in made.values()))
    faults |= {str(place): SILENT for place, wrote in zip(made, heard, strict=True) if not wrote}
    people = {place: one.person or "" for place, one in made.items() if str(place) not in faults}
    first = {person: f"{batch.id}:{place}" for place, person in reversed(people.items())}
    theirs = await jobs.assign_addressees(runtime.db, job.id, first)
    return faults | {str(place): TWICE for place, person in people.items() if theirs[person] != f"{batch.id}:{place}"}


def _words(plan: Plan) -> str:
    """The mistake, with the field as it is in the row."""
    if plan.error is None:
        return ""
    _, _, field = plan.error.field.rpartition("].")
    return f"{field}: {plan.error.message}" if field else plan.error.message


async def _has_written(runtime: Runtime, notification: Notification) -> bool:
    """To any of our accounts, as far as we know whose conversation it is."""
    return any(session.last_inbound_at for session in await conversations(runtime, notification))


async def _look(runtime: Runtime, batch: Batch) -> None:
    """Count what has become of a batch; when all of it has ended, the batch has, and perhaps the job."""
    batch, ended = await _counted(runtime, batch)
    now = runtime.clock()
    if not ended:
        await runtime.batches.put(replace(batch, due_at=_next_look(batch, now)))
        return
    await runtime.batches.put(replace(batch, lane=LATE, due_at=now + LATE_LOOKS[0], looks=0))
    await _end(runtime, batch.job)


async def _look_late(runtime: Runtime, batch: Batch) -> None:
    batch, _ = await _counted(runtime, batch)
    now = runtime.clock()
    if batch.looks < len(LATE_LOOKS):
        await runtime.batches.put(replace(batch, due_at=now + LATE_LOOKS[batch.looks]))
    else:
        await runtime.batches.put(replace(batch, lane=None, due_at=None, done_at=now))


async def _counted(runtime: Runtime, batch: Batch) -> tuple[Batch, bool]:
    """With what has become of it; has all of it ended?"""
    found = await notifications.several(runtime.db, filter(None, batch.ids))
    counts: dict[str, int] = dict(Counter(one.status for one in found.values()))
    faults = {place: words for place, words in batch.faults.items() if batch.ids[int(place)] not in found}
    batch = replace(batch, counts=counts, faults=faults, looks=batch.looks + 1)
    return batch, all(one.done_at for one in found.values())


def _next_look(batch: Batch, now: datetime) -> datetime:
    return now + min(FIRST_LOOK * (1 << min(batch.looks - 1, 10)), LAST_LOOK)


async def _end(runtime: Runtime, key: str) -> None:
    """The job is over with the last of its batches."""
    while not await jobs.is_open(runtime.db, key):
        job = await jobs.get(runtime.db, key)
        if job is None or job.live_from is None or await jobs.save(runtime.db, job.over(runtime.clock())):
            return

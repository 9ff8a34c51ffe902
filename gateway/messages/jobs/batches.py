"""The batches of running jobs: their rows are submitted as messages, batch by batch, and their statuses are counted.

A batch is submitted when the one before it has begun, so that a pause takes effect soon. The ids of its messages are
derived from the row and the round, so what breaks off is repeated without sending anything twice.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec
from msgspec.structs import replace

from gateway.domain.api.request import UnreadBulk
from gateway.domain.model.job import LATE, Batch, Job, Row, waiting_lane, watched_lane
from gateway.domain.model.notification import Notification
from gateway.messages.accepting.cancel import cancel_notification
from gateway.messages.accepting.plans import Plan, key_of, plan_bulk
from gateway.messages.delivery import recording, repeats
from gateway.messages.delivery.reachability import conversations
from gateway.messages.jobs.reasons import FAILED, grouped, may_work, reason_of, spent_on
from gateway.runtime.loop import Item, Own
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from storage import jobs
from storage.messages import links, notifications

CLAIMED = 20
"""Batches of one job that are claimed at once."""

FIRST_COUNT, LAST_COUNT = timedelta(seconds=1), timedelta(minutes=5)
"""The pauses between two counts of a batch under way grow from the first to the second."""

LATE_COUNTS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 600, 3600, 86_400))
"""The pauses between counts after a batch has ended: most late receipts come within the first minute."""

TWICE, SILENT = "another row names the same person", "the person has not written to us"

Submitted = dict[str, tuple[str, ...]]
"""Job -> ids of the messages that this process submitted last."""


async def take(runtime: Runtime, room: int, own: Own, submitted: Submitted) -> Sequence[Item]:
    """Take due batches of all live jobs: those under way, and the next one of each running job when it may begin."""
    live, claim = await jobs.live(runtime.db), partial(runtime.batches.claim, lease=runtime.settings.lease)
    batches = await claim(LATE, runtime.clock(), limit=min(CLAIMED, room))
    for job in live:
        now = runtime.clock()
        batches += await claim(watched_lane(job.id), now, limit=min(CLAIMED, room))
        if job.state == "cancelled":
            batches += await claim(waiting_lane(job.id), now, limit=min(CLAIMED, room))
        elif job.state == "running" and await _has_begun(runtime, job, submitted.get(job.id, ())):
            batches += await claim(waiting_lane(job.id), now, limit=1)
    for ended in submitted.keys() - {job.id for job in live}:
        del submitted[ended]
    under_way = own()
    return [
        Item(
            batch.id,
            batch.id,
            batch.lease or "",
            partial(_work, runtime, batch, submitted),
            partial(runtime.batches.put, replace(batch, due_at=runtime.clock())),
        )
        for batch in batches
        if batch.id not in under_way
    ]


async def _has_begun(runtime: Runtime, job: Job, ids: Sequence[str]) -> bool:
    """Tell whether at most half a batch of these messages has not begun yet."""
    return await notifications.count_new(runtime.db, ids) <= job.batch_rows // 2


async def _work(runtime: Runtime, batch: Batch, submitted: Submitted) -> None:
    if batch.lane == LATE:
        await _count_late(runtime, batch)
        return
    job, waiting = await jobs.get(runtime.db, batch.job), batch.lane == waiting_lane(batch.job)
    if job is None:
        return
    if waiting and job.state == "paused":
        await runtime.batches.put(replace(batch, due_at=runtime.clock()))
        return
    if waiting and job.state == "running":
        batch = await _submit(runtime, job, batch)
        submitted[job.id] = batch.ids
        job = await jobs.get(runtime.db, job.id) or job  # it may have been cancelled meanwhile
    if job.state == "cancelled":
        batch = await _cancel(runtime, job, batch)
    await _count(runtime, replace(batch, lane=watched_lane(job.id)))
    if waiting:
        runtime.job_bell.set()


async def _cancel(runtime: Runtime, job: Job, batch: Batch) -> Batch:
    """Cancel the batch's messages, also those of a process that ended while it submitted them. Returns the batch."""
    change = partial(recording.change, runtime, step=lambda old: cancel_notification(old, runtime.clock()))
    latest = [_message_id(job, batch, place) for place in range(batch.size)]
    changed = await asyncio.gather(*(change(key) for key in latest))
    ids = [new if message else old for new, message, old in zip(latest, changed, batch.ids or latest, strict=True)]
    await asyncio.gather(*(change(key) for key in set(ids) - set(latest) if key))
    return replace(batch, ids=tuple(ids))


def _scope(job: Job, batch: Batch) -> str:
    return f"job:{batch.id}:{job.round}"


def _message_id(job: Job, batch: Batch, place: int) -> str:
    """Return the id of the message that a row becomes in this round."""
    return key_of(_scope(job, batch), "messages[0]", place)


async def _submit(runtime: Runtime, job: Job, batch: Batch) -> Batch:
    """Turn the batch's rows into messages, in a later round only those that had failed. Returns the batch."""
    places = dict.fromkeys(range(batch.size), "")
    if batch.ids:
        batch, places = await _failed(runtime, job, batch)
    if not places:
        return replace(batch, round=job.round)
    plans = await plan_bulk(runtime, _request(job, batch), f"job:{job.id}", scope=_scope(job, batch))
    chosen = {place: plan for place, plan in enumerate(plans) if place in places}
    faults = await _faults(runtime, job, batch, chosen)
    good = {place: plan for place, plan in chosen.items() if str(place) not in faults}
    old = {place: places[place] for place in good if places[place]}
    taken = await _taken(runtime, job, batch, old)
    good = {place: plan for place, plan in good.items() if place not in taken}
    messages = [
        replace(message, job_id=job.id, job_at=message.created_at)
        for plan in good.values()
        if (message := plan.notification)
    ]
    await links.add(runtime.db, [link for plan in good.values() for link in plan.links])
    await recording.add(runtime.db, messages)
    at, ids = runtime.clock(), list(batch.ids) or [""] * batch.size
    for place in chosen.keys() - taken:
        ids[place] = _message_id(job, batch, place)
    words = {old[place]: f"sent anew by its job as {ids[place]}" for place in old.keys() - taken}
    await asyncio.gather(*(repeats.finish(runtime, key, said, at) for key, said in words.items()))
    runtime.outbox_bell.set()
    metrics.MESSAGES.labels("accepted").inc(len(messages))
    metrics.MESSAGES.labels("refused").inc(len(faults))
    faults = {**_kept_faults(job, batch), **faults}
    return replace(batch, ids=tuple(ids), faults=faults, round=job.round, submitted=len(places), submitted_at=at)


def _kept_faults(job: Job, batch: Batch) -> dict[str, str]:
    """Return the rows without a message that this round leaves as they are."""
    return batch.faults if job.hopeful else {}


def _request(job: Job, batch: Batch) -> UnreadBulk:
    """Return a request for all rows, even if only some are needed: a message's id is derived from its place."""
    rows = msgspec.json.decode(batch.rows, type=list[Row])
    message = {**msgspec.json.decode(job.message), "destinations": [row.destination for row in rows]}
    return UnreadBulk(messages=[msgspec.Raw(msgspec.json.encode(message))])


async def _failed(runtime: Runtime, job: Job, batch: Batch) -> tuple[Batch, dict[int, str]]:
    """Return the places of rows whose message failed in the round before, with its id, and of those without ("").

    Where somebody else has sent a message anew, that one counts, and is the row's in the batch. In a hopeful round,
    those only whose message may arrive now.
    """
    messages = await notifications.several(runtime.db, filter(None, batch.ids))
    ours = {_message_id(job, batch, place) for place in range(batch.size)}
    last = await repeats.latest(runtime.db, messages, but=ours)
    again = {
        place: last[key].id
        for place, key in enumerate(batch.ids)
        if key in last and last[key].status in FAILED and (may_work(last[key]) or not job.hopeful)
    }
    batch = replace(batch, ids=tuple(last[key].id if key in last else key for key in batch.ids))
    return batch, again if job.hopeful else {**dict.fromkeys(map(int, batch.faults), ""), **again}


async def _taken(runtime: Runtime, job: Job, batch: Batch, old: Mapping[int, str]) -> set[int]:
    """Have these messages say by what the job repeats them. Returns the places of those that somebody else repeats."""
    claims = (repeats.claim(runtime, key, _message_id(job, batch, place)) for place, key in old.items())
    claimed = zip(old, await asyncio.gather(*claims), strict=True)
    return {place for place, is_ours in claimed if not is_ours}


async def _faults(runtime: Runtime, job: Job, batch: Batch, plans: Mapping[int, Plan]) -> dict[str, str]:
    """Return why some rows become no message, by their place."""
    faults = {str(place): words_of(plan) for place, plan in plans.items() if plan.error}
    if job.kind != "advertising":
        return faults
    messages = {place: plan.notification for place, plan in plans.items() if plan.notification}
    written = await asyncio.gather(*(has_written(runtime, message) for message in messages.values()))
    faults |= {str(place): SILENT for place, wrote in zip(messages, written, strict=True) if not wrote}
    people = {place: message.person or "" for place, message in messages.items() if str(place) not in faults}
    first = {person: f"{batch.id}:{place}" for place, person in reversed(people.items())}
    rows = await jobs.assign_addressees(runtime.db, job.id, first)
    return faults | {str(place): TWICE for place, person in people.items() if rows[person] != f"{batch.id}:{place}"}


def words_of(plan: Plan) -> str:
    """Return the plan's mistake, with the field as it is in the row."""
    if plan.error is None:
        return ""
    _, _, field = plan.error.field.rpartition("].")
    return f"{field}: {plan.error.message}" if field else plan.error.message


async def has_written(runtime: Runtime, notification: Notification) -> bool:
    """Tell whether the person has written to any of our accounts, as far as their conversations are known."""
    return any(session.last_inbound_at for session in await conversations(runtime, notification))


async def _count(runtime: Runtime, batch: Batch) -> None:
    """Count a batch's messages by status. When all have ended, so does the batch, and the job with its last batch."""
    batch, ended = await _with_counts(runtime, batch)
    now = runtime.clock()
    if not ended:
        await runtime.batches.put(replace(batch, due_at=_next_count(batch, now)))
        return
    await runtime.batches.put(replace(batch, lane=LATE, due_at=now + LATE_COUNTS[0], looks=0))
    await _end(runtime, batch.job)


async def _count_late(runtime: Runtime, batch: Batch) -> None:
    batch, _ = await _with_counts(runtime, batch)
    now = runtime.clock()
    if batch.looks < len(LATE_COUNTS):
        await runtime.batches.put(replace(batch, due_at=now + LATE_COUNTS[batch.looks]))
    else:
        await runtime.batches.put(replace(batch, lane=None, due_at=None, done_at=now))


async def _with_counts(runtime: Runtime, batch: Batch) -> tuple[Batch, bool]:
    """Return the batch with its messages counted by status, and whether for all of them nothing is left to be done."""
    messages = await notifications.several(runtime.db, filter(None, batch.ids))
    counts: dict[str, int] = dict(Counter(message.status for message in messages.values()))
    faults = {place: words for place, words in batch.faults.items() if batch.ids[int(place)] not in messages}
    failed = [message for message in messages.values() if message.status in FAILED]
    batch = replace(
        batch,
        counts=counts,
        faults=faults,
        looks=batch.looks + 1,
        reasons=grouped(map(reason_of, failed)),
        spent=spent_on(messages.values()),
    )
    return batch, all(message.tried_at or message.done_at for message in messages.values())


def _next_count(batch: Batch, now: datetime) -> datetime:
    return now + min(FIRST_COUNT * (1 << min(batch.looks - 1, 10)), LAST_COUNT)


async def _end(runtime: Runtime, key: str) -> None:
    """End the job if the last of its batches has ended."""
    while not await jobs.is_open(runtime.db, key):
        job = await jobs.get(runtime.db, key)
        if job is None or job.live_from is None or await jobs.save(runtime.db, job.end(runtime.clock())):
            return

"""Reckons what a job would do now, from rows taken at random, by the same plans and the same rule that send it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import SystemRandom
from typing import Any

import msgspec
from msgspec.structs import replace

from gateway.domain.api.request import UnreadBulk
from gateway.domain.cascade import rule
from gateway.domain.cascade.moves import Context, Send
from gateway.domain.model.job import Forecast, Job, Reason, Row
from gateway.domain.model.notification import Notification
from gateway.domain.terms.hours import opens_at
from gateway.messages.accepting.plans import Plan, plan_bulk
from gateway.messages.delivery.reachability import look
from gateway.messages.jobs.batches import SILENT, has_written, words_of
from gateway.messages.jobs.jobs import reload
from gateway.messages.jobs.reasons import added, grouped, reason_of, shared
from gateway.runtime.runtime import Runtime
from storage import jobs
from storage.documents.documents import in_portions

ROWS, BATCHES = 1000, 100
"""Rows that are taken at random, and batches that they are taken from, at most."""

AT_ONCE = 25
"""Rows that are looked up together."""


@dataclass(frozen=True)
class Outlook:
    """What would become of one row. left_out: why nothing would be sent; ""; else the channel that would be first."""

    left_out: str = ""
    channel: str = ""
    expected: tuple[tuple[str, str], ...] = ()
    most: tuple[tuple[str, str], ...] = ()


async def reckon(runtime: Runtime, job: Job) -> Job:
    """Return the job with a new forecast, which is stored with it."""
    rows = await _sample(runtime, job)
    outlooks = [each for some in in_portions(rows, AT_ONCE) for each in await _outlooks(runtime, job, some)]
    first = Counter(each.channel for each in outlooks if each.channel)
    forecast = Forecast(
        runtime.clock(),
        len(rows),
        job.total,
        grouped(Reason(shared(each.left_out)) for each in outlooks if each.left_out),
        tuple(first.most_common()),
        added(dict([pair]) for each in outlooks for pair in each.expected),
        added(dict([pair]) for each in outlooks for pair in each.most),
        _seconds(runtime, first, job.total / max(len(rows), 1)),
    )
    while not (saved := await jobs.save(runtime.db, replace(job, forecast=forecast))):
        job = await reload(runtime, job)
    return saved


async def _sample(runtime: Runtime, job: Job) -> Sequence[Row]:
    """Return rows of the job at random: all of them, where there are few."""
    chance, keys = SystemRandom(), job.batches
    chosen = chance.sample(keys, min(len(keys), BATCHES))
    rows = list[Row]()
    for key in chosen:  # one at a time: a batch may have two megabytes
        for batch in await jobs.batches(runtime.db, [key]):
            of_batch = msgspec.json.decode(batch.rows, type=list[Row])
            rows += chance.sample(of_batch, min(len(of_batch), -(-ROWS // len(chosen))))
    return rows[:ROWS]


async def _outlooks(runtime: Runtime, job: Job, rows: Sequence[Row]) -> Sequence[Outlook]:
    plans = await plan_bulk(runtime, request_for(job, [row.destination for row in rows]), f"job:{job.id}", trial=True)
    return await asyncio.gather(*(_outlook(runtime, job, plan) for plan in plans))


def request_for(job: Job, destinations: Sequence[dict[str, Any]]) -> UnreadBulk:
    """Return the request that a job makes for these rows."""
    message = {**msgspec.json.decode(job.message), "destinations": destinations}
    return UnreadBulk(messages=[msgspec.Raw(msgspec.json.encode(message))])


async def _outlook(runtime: Runtime, job: Job, plan: Plan) -> Outlook:
    """Return what would become of a row in its next allowed hour."""
    message = plan.notification
    if message is None:
        return Outlook(words_of(plan))
    if job.kind == "advertising" and not await has_written(runtime, message):
        return Outlook(SILENT)
    now = runtime.clock()
    context = await look(runtime, message, opens_at(message.hours, now) if message.hours else now)
    if context.opted_out:
        return Outlook(context.opted_out)
    after, move = rule.advance(message, context)
    if after.done_at:
        return Outlook(reason_of(after).text)
    step = move.step if isinstance(move, Send) else _first_open(message, context)
    price = message.steps[step].costs(template=isinstance(move, Send) and move.template)
    return Outlook(
        channel=message.steps[step].channel,
        expected=((price.currency, price.amount),) if price else (),
        most=tuple((each.currency, each.amount) for each in _all_prices(message, context)),
    )


def _first_open(message: Notification, context: Context) -> int:
    """Return the first step that has somewhere to go, where none would be sent at once."""
    return next((number for number in range(len(message.steps)) if context.reach[number].address), 0)


def _all_prices(message: Notification, context: Context) -> Sequence[Any]:
    """Return the prices of all steps that have somewhere to go: each of them may be charged."""
    pairs = zip(message.steps, context.reach, strict=True)
    prices = [step.costs(template=step.content is None) for step, reach in pairs if reach.address]
    return [price for price in prices if price]


def _seconds(runtime: Runtime, first: Counter[str], share: float) -> float:
    """Return how long the slowest channel takes for its first sends. share: rows that each of the sample stands for."""
    seconds = [0.0]
    for channel, count in first.items():
        limits = [runtime.gate.limits[f"{channel}:{name}"].account for name in runtime.channels[channel]]
        seconds += [count * share * limit.interval.total_seconds() for limit in limits[:1] if limit]
    return max(seconds)

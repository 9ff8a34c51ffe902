"""What a job will be, as it was reckoned: how many people, by which channel, for how much, and how long."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.model.job import Forecast, Job, Reason
from gateway.messages.jobs.progress import MINUTE, ready_in_hours
from gateway.runtime.runtime import Runtime


@dataclass(frozen=True)
class Outlook:
    """A forecast as it is shown. people: who gets something; margin: points up or down, 0 where all rows were taken.

    first: pairs of a channel and its share in percent. time: how long it takes. ready_at: if it began now; None: at
    once, or too far away to tell.
    """

    forecast: Forecast
    people: int
    left_out: int
    reasons: Sequence[Reason]
    first: Sequence[tuple[str, int]]
    expected: dict[str, float]
    most: dict[str, float]
    time: timedelta
    ready_at: datetime | None
    margin: int


async def outlook(runtime: Runtime, job: Job) -> Outlook | None:
    """Return what a job will be, as it was reckoned last."""
    known = job.forecast
    if known is None or not known.sampled:
        return None
    now, time = runtime.clock(), timedelta(seconds=known.seconds)
    ready = await ready_in_hours(runtime, job, time, now)
    left_out = known.of_all(sum(reason.count for reason in known.left_out))
    return Outlook(
        known,
        known.total - left_out,
        left_out,
        known.left_out,
        [(channel, round(100 * count / known.sampled)) for channel, count in known.first],
        expected(known),
        _of_all(known, known.most),
        time,
        ready if ready and ready - now > MINUTE else None,
        0 if known.sampled == known.total else math.ceil(98 / math.sqrt(known.sampled)),
    )


def expected(forecast: Forecast) -> dict[str, float]:
    """Return what a job will cost, as far as first sends arrive, by currency."""
    return _of_all(forecast, forecast.expected)


def _of_all(forecast: Forecast, amounts: Mapping[str, str]) -> dict[str, float]:
    """Return the price of all rows from that of the sample."""
    share = forecast.total / max(forecast.sampled, 1)
    return {currency: float(amount) * share for currency, amount in amounts.items()}

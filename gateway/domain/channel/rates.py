"""How fast we may send: from a rate to the moments at which messages leave, and rates as settings write them. Pure.

The generic cell rate algorithm (ITU-T I.371): one moment is all that has to be remembered of an account or a person.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.domain.channel.facts import Limits, Rate

WRITTEN = re.compile(
    r"(?P<count>[1-9]\d{0,5})/(?P<length>[1-9]\d{0,3})?(?P<unit>s|min|h|d)(?: burst (?P<burst>[1-9]\d{0,5}))?"
)
UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=366)
MOST_PIECES, FURTHEST = 50, timedelta(seconds=10)
"""A moment further ahead than so many pieces and the longest horizon explain is of another rate or a wrong clock."""

NONE = "none"
KINDS = ("account", "person", "group", "template")


def slots(
    rate: Rate, free_at: datetime | None, now: datetime, count: int, horizon: timedelta
) -> tuple[list[datetime], datetime]:
    """The moments at which `count` sends may leave, and when the next one would be free then.

    No moments if the first lies further ahead than `horizon`: then the other moment is when it would be. free_at: as
    this function told it last.
    """
    allowance = rate.interval * (rate.burst - 1)
    furthest = now + allowance + rate.interval * MOST_PIECES + max(FURTHEST, horizon)
    regular = free_at if free_at and now < free_at <= furthest else now
    first = max(now, regular - allowance)
    if first > now + horizon:
        return [], first
    moments = [max(now, regular + rate.interval * number - allowance) for number in range(count)]
    return moments, regular + rate.interval * count


def read_rate(text: object) -> Rate | None:
    """A rate as in "30/s", "20/min" or "1/6s burst 45"; "none" is no limit. Raises ValueError."""
    if text == NONE:
        return None
    if not isinstance(text, str) or not (found := WRITTEN.fullmatch(text)):
        raise ValueError('a limit is written like "30/s", "20/min", "1/6s burst 45" or "none"')
    per = int(found["length"] or 1) * UNITS[found["unit"]]
    rate = Rate(int(found["count"]), per, int(found["burst"] or 1))
    if rate.interval > LONGEST / rate.burst:
        raise ValueError(f"{text} takes longer than {LONGEST.days} days to save up")
    return rate


def read_limits(limits: Limits, table: Mapping[str, object]) -> Limits:
    """The limits with what an account's settings say otherwise. Raises ValueError."""
    for kind in table:
        if kind not in KINDS:
            raise ValueError(f"there are limits for: {', '.join(KINDS)}; not for {kind}")
    return replace(limits, **{kind: read_rate(text) for kind, text in table.items()})


def told(rate: Rate | None) -> str:
    """A rate as settings write it."""
    if rate is None:
        return NONE
    unit, size = next((name, size) for name, size in reversed(UNITS.items()) if rate.per % size == timedelta(0))
    length = rate.per // size
    burst = f" burst {rate.burst}" if rate.burst > 1 else ""
    return f"{rate.count}/{length if length > 1 else ''}{unit}{burst}"

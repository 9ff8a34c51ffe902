"""Rate arithmetic: the moments at which messages may leave, and rates as settings write them. Pure.

The generic cell rate algorithm (ITU-T I.371): one moment is all that has to be remembered of an account or a person.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

WRITTEN = re.compile(
    r"(?P<count>[1-9]\d{0,5})/(?P<length>[1-9]\d{0,3})?(?P<unit>s|min|h|d)(?: burst (?P<burst>[1-9]\d{0,5}))?"
)
UNITS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=366)
MOST_PIECES, FURTHEST = 50, timedelta(seconds=10)
"""A moment further ahead than so many pieces and the longest horizon explain is of another rate or a wrong clock."""

NONE = "none"
KINDS = ("account", "person", "group", "template")


@dataclass(frozen=True)
class Rate:
    """At most `count` sends in `per`, evenly spread; after a quiet spell up to `burst` may leave at once."""

    count: int
    per: timedelta
    burst: int = 1

    @property
    def interval(self) -> timedelta:
        """Return the average time between two sends."""
        return self.per / self.count


@dataclass(frozen=True)
class Limits:
    """How often a provider lets us send: from one account in all, to one person, to one group, as one template.

    None: it names no limit.
    """

    account: Rate | None = None
    person: Rate | None = None
    group: Rate | None = None
    template: Rate | None = None


def slots(
    rate: Rate, free_at: datetime | None, now: datetime, count: int, horizon: timedelta
) -> tuple[list[datetime], datetime]:
    """Compute the moments at which `count` sends may leave.

    `free_at` is the second value that this function returned last, or None at first. Returns the moments and the moment
    at which the next send would be free. If the first moment lies further ahead than `horizon`, returns no moments and
    when that first one would be.
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
    """Read a rate as in "30/s", "20/min" or "1/6s burst 45". Returns None for "none", no limit. Raises ValueError."""
    if text == NONE:
        return None
    if not isinstance(text, str) or not (match := WRITTEN.fullmatch(text)):
        raise ValueError('a limit is written like "30/s", "20/min", "1/6s burst 45" or "none"')
    per = int(match["length"] or 1) * UNITS[match["unit"]]
    rate = Rate(int(match["count"]), per, int(match["burst"] or 1))
    if rate.interval > LONGEST / rate.burst:
        raise ValueError(f"{text} takes longer than {LONGEST.days} days to save up")
    return rate


def read_limits(limits: Limits, table: Mapping[str, object]) -> Limits:
    """Return the limits with those that an account's settings override. Raises ValueError."""
    for kind in table:
        if kind not in KINDS:
            raise ValueError(f"there are limits for: {', '.join(KINDS)}; not for {kind}")
    return replace(limits, **{kind: read_rate(text) for kind, text in table.items()})


def format_rate(rate: Rate | None) -> str:
    """Return a rate as settings write it; the inverse of read_rate."""
    if rate is None:
        return NONE
    unit, size = next((name, size) for name, size in reversed(UNITS.items()) if rate.per % size == timedelta(0))
    length = rate.per // size
    burst = f" burst {rate.burst}" if rate.burst > 1 else ""
    return f"{rate.count}/{length if length > 1 else ''}{unit}{burst}"

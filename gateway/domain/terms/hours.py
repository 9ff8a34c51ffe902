"""When a message may leave: ranges of the day and days of the week, in the recipient's time zone. Pure.

The zone files are those of the system, else those of the `tzdata` package.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from msgspec import Struct

MIDNIGHT = time()
WHOLE_DAY = ((MIDNIGHT, MIDNIGHT),)
END_OF_DAY = frozenset({"24:00", "24:00:00"})
CLOCK = re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
WEEK = range(1, 8)

SECOND = timedelta(seconds=1)
# A day in seconds: less than any two shifts of one zone's clock lie apart (the closest: four days, Freetown in 1939).
STRIDE = 86_400


class Hours(Struct, frozen=True, omit_defaults=True, gc=False):
    """When a message may leave, in the recipient's own time. Nothing named: always.

    `zone` is an IANA name. `ranges` are on the local clock, start included, end not; one whose end is not after its
    start ends on the next day, so that 00:00 as an end is midnight. `weekdays` are ISO's, 1 Monday to 7 Sunday, of the
    day on which a range begins. Raises ValueError for other weekdays.
    """

    zone: str
    ranges: tuple[tuple[time, time], ...] = ()
    weekdays: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not all(day in WEEK for day in self.weekdays):
            raise ValueError("a weekday is a number from 1 (Monday) to 7 (Sunday)")


def opens_at(hours: Hours, now: datetime) -> datetime:
    """Return the first moment from `now` on at which a message may leave, in UTC.

    It goes by what the clock on the wall shows: an hour that comes twice counts twice, one that is skipped not at all.
    Raises ZoneInfoNotFoundError for a zone that `is_zone` does not know.
    """
    zone, at = ZoneInfo(hours.zone), now.astimezone(UTC)
    if not hours.ranges and not hours.weekdays:
        return at
    while ahead := _until_allowed(hours, _wall(zone, at)):
        at = _shift(zone, at, at + ahead)
    return at


def closes_at(hours: Hours, now: datetime) -> datetime | None:
    """Return when the range ends in which `now` lies, by the clock on the wall as it goes now; None: never."""
    if not hours.ranges and not hours.weekdays:
        return None
    wall = _wall(ZoneInfo(hours.zone), now)
    return now + next(end - wall for _, end in _spans(hours, wall.date()) if end > wall)


MOST_RANGES = 400
"""Ranges that a length of work is looked for in: more than a year of whole days."""


def ready_at(hours: Hours, start: datetime, work: timedelta) -> datetime | None:
    """Return when so much work ends that is done within these hours only; None if that is too far away to tell."""
    at = start
    for _ in range(MOST_RANGES):
        at = opens_at(hours, at)
        end = closes_at(hours, at)
        if end is None or at + work <= end:
            return at + work
        at, work = end, work - (end - at)
    return None


def is_zone(name: str) -> bool:
    """Tell whether this is a zone of IANA's database, letter by letter. The same on every machine."""
    return name in _zones()


def read_ranges(asked: Sequence[Sequence[str]]) -> tuple[tuple[time, time], ...]:
    """Read ranges from pairs of "HH:MM" or "HH:MM:SS"; an end may be "24:00". Raises ValueError."""
    return tuple(_range(pair) for pair in asked)


def describe(hours: Hours, moment: datetime) -> str:
    """Describe, for people, that a message has to wait until `moment`, which `opens_at` returned."""
    wall = _wall(ZoneInfo(hours.zone), moment)
    clock = wall.time().isoformat("seconds" if wall.second else "minutes")
    return f"outside of the allowed hours until {clock} {wall:%a} {wall.day} {wall:%b}, {hours.zone}"


@cache
def _zones() -> frozenset[str]:
    """Return IANA's names. `available_timezones` also finds other files of the system's folder, as "localtime"."""
    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    return frozenset(names) - {"Factory"}


def _range(pair: Sequence[str]) -> tuple[time, time]:
    if len(pair) != 2:  # noqa: PLR2004 - a start and an end
        raise ValueError('a range is a start and an end, as ["09:00", "21:00"]')
    start, end = _clock(pair[0]), MIDNIGHT if pair[1] in END_OF_DAY else _clock(pair[1])
    if start == end and pair[1] not in END_OF_DAY:
        raise ValueError(f'a range from {pair[0]} to {pair[1]} is empty; the whole day is ["00:00", "24:00"]')
    return start, end


def _clock(text: str) -> time:
    if text in END_OF_DAY:
        raise ValueError(f"{text} can only be the end of a range")
    if not CLOCK.fullmatch(text):
        raise ValueError(f'"{text[:20]}" is not a time of day from 00:00 to 23:59:59, written as HH:MM or HH:MM:SS')
    return time.fromisoformat(text)


def _wall(zone: ZoneInfo, at: datetime) -> datetime:
    """Return what the clock on the wall shows, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None)


def _until_allowed(hours: Hours, wall: datetime) -> timedelta:
    """Return how far the clock on the wall has to go on from `wall`; zero if a message may leave."""
    return next(max(begin - wall, timedelta(0)) for begin, end in _spans(hours, wall.date()) if end > wall)


def _spans(hours: Hours, today: date) -> Iterator[tuple[datetime, datetime]]:
    """Yield the ranges as they lie on the calendar, by their beginnings, from yesterday's to those of a week ahead."""
    ranges = sorted(hours.ranges) or WHOLE_DAY
    for days in range(-1, len(WEEK) + 1):
        day = today + timedelta(days)
        if day.isoweekday() in (hours.weekdays or WEEK):
            for start, end in ranges:
                last = day if end > start else day + timedelta(days=1)
                yield datetime.combine(day, start), datetime.combine(last, end)


def _shift(zone: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """Return the first moment after `start` at which the wall's clock changes; `end` if it does not before that."""
    whole, offset = start.replace(microsecond=0), start.astimezone(zone).utcoffset()

    def shifted(seconds: int) -> bool:
        return (whole + seconds * SECOND).astimezone(zone).utcoffset() != offset

    seconds = range((end - whole) // SECOND + 1)
    for low in seconds[::STRIDE]:
        high = min(low + STRIDE, seconds[-1])
        if shifted(high):
            return whole + bisect_left(seconds, True, low, high, key=shifted) * SECOND
    return end

"""Tests allowed hours, which follow the recipient's local clock through all its shifts."""

import os
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.terms.hours import Hours, describe, is_zone, opens_at, read_ranges

MICROSECOND, SECOND, MINUTE = timedelta(microseconds=1), timedelta(seconds=1), timedelta(minutes=1)

# Zone, when its clock was or will be shifted, and by how many seconds.
SHIFTS = [
    ("Europe/Moscow", "2010-10-30T23:00Z", -3600),
    ("Europe/Moscow", "2011-03-26T23:00Z", 3600),
    ("Europe/Moscow", "2014-10-25T22:00Z", -3600),
    ("America/New_York", "2026-03-08T07:00Z", 3600),
    ("America/New_York", "2026-11-01T06:00Z", -3600),
    ("Australia/Lord_Howe", "2026-04-04T15:00Z", -1800),
    ("Australia/Lord_Howe", "2026-10-03T15:30Z", 1800),
    ("America/Santiago", "2026-04-05T03:00Z", -3600),
    ("America/Santiago", "2026-09-06T04:00Z", 3600),
    ("Africa/Casablanca", "2026-02-15T02:00Z", -3600),
    ("Africa/Casablanca", "2026-03-22T02:00Z", 3600),
    ("America/Noronha", "2000-10-08T02:00Z", 3600),  # and back a week later
    ("America/Noronha", "2000-10-15T01:00Z", -3600),
    ("Antarctica/Troll", "2026-03-29T01:00Z", 7200),
    ("Asia/Kathmandu", "1985-12-31T18:30Z", 900),
    ("Pacific/Apia", "2011-12-30T10:00Z", 86400),  # a Friday that never was
]


def hours(zone: str, ranges: str = "", *weekdays: int) -> Hours:
    return Hours(zone, read_ranges([pair.split("-") for pair in ranges.split()]), weekdays)


def is_allowed(schedule: Hours, at: datetime) -> bool:
    """Return whether the local time lies in a range that begins on one of the weekdays, as the definition says."""
    wall = at.astimezone(ZoneInfo(schedule.zone))
    days = schedule.weekdays or range(1, 8)
    today, yesterday = wall.isoweekday() in days, (wall - timedelta(days=1)).isoweekday() in days
    for start, end in schedule.ranges or [(time(), time())]:
        after, before = wall.time() >= start, wall.time() < end
        if (today and after and before) if start < end else (today and after) or (yesterday and before):
            return True
    return False


@pytest.mark.parametrize(
    ("schedule", "now", "opens"),
    [
        (hours("Europe/Moscow"), "2026-11-22T03:00+03:00", "2026-11-22T03:00+03:00"),
        (hours("Europe/Moscow", "09:00-21:00"), "2026-11-22T09:00+03:00", "2026-11-22T09:00+03:00"),
        (hours("Europe/Moscow", "09:00-21:00"), "2026-11-22T20:59:59.999999+03:00", "2026-11-22T20:59:59.999999+03:00"),
        (hours("Europe/Moscow", "09:00-21:00"), "2026-11-22T21:00+03:00", "2026-11-23T09:00+03:00"),
        (hours("Europe/Moscow", "09:00-21:00"), "2026-11-22T08:59:59.999999+03:00", "2026-11-22T09:00+03:00"),
        (hours("Europe/Moscow", "09:00-21:00", 1, 2, 3), "2026-11-22T15:00+03:00", "2026-11-23T09:00+03:00"),
        (hours("Europe/Moscow", "09:00-21:00", 7), "2026-11-22T21:00+03:00", "2026-11-29T09:00+03:00"),
        (hours("Europe/Moscow", "09:00:30-09:00:31"), "2026-11-22T09:00:31+03:00", "2026-11-23T09:00:30+03:00"),
        (hours("Europe/Moscow", "", 1), "2026-11-24T00:00+03:00", "2026-11-30T00:00+03:00"),
        (hours("Europe/Moscow", "00:00-24:00", 1), "2026-11-23T23:59+03:00", "2026-11-23T23:59+03:00"),
        (hours("Europe/Moscow", "20:00-24:00"), "2026-11-23T23:59+03:00", "2026-11-23T23:59+03:00"),
        (hours("Europe/Moscow", "20:00-24:00"), "2026-11-24T00:00+03:00", "2026-11-24T20:00+03:00"),
        (hours("Europe/Moscow", "09:00-12:00 12:00-15:00"), "2026-11-23T12:00+03:00", "2026-11-23T12:00+03:00"),
        (hours("Europe/Moscow", "09:00-12:00 10:00-11:00"), "2026-11-23T11:30+03:00", "2026-11-23T11:30+03:00"),
        (hours("Europe/Moscow", "15:00-16:00 09:00-10:00"), "2026-11-23T08:00+03:00", "2026-11-23T09:00+03:00"),
        # A night belongs to the day on which it begins: Friday's lasts until Saturday morning.
        (hours("Europe/Moscow", "22:00-06:00", 5), "2026-11-28T04:00+03:00", "2026-11-28T04:00+03:00"),
        (hours("Europe/Moscow", "22:00-06:00", 5), "2026-11-27T04:00+03:00", "2026-11-27T22:00+03:00"),
        (hours("Europe/Moscow", "22:00-06:00", 5), "2026-11-28T06:00+03:00", "2026-12-04T22:00+03:00"),
        (hours("Europe/Moscow", "01:30-01:50"), "2014-10-26T01:55+04:00", "2014-10-26T01:30+03:00"),
        # 02:00 becomes 03:00: opens after the gap, or is skipped altogether and another day's counts.
        (hours("America/New_York", "02:30-04:00"), "2026-03-08T00:00-05:00", "2026-03-08T03:00-04:00"),
        (hours("America/New_York", "02:10-02:50"), "2026-03-08T00:00-05:00", "2026-03-09T02:10-04:00"),
        (hours("America/New_York", "02:10-02:50", 7), "2026-03-08T00:00-05:00", "2026-03-15T02:10-04:00"),
        # 02:00 becomes 01:00: both passes count, and the second may begin in the middle of a range.
        (hours("America/New_York", "01:15-01:45"), "2026-11-01T01:50-04:00", "2026-11-01T01:15-05:00"),
        (hours("America/New_York", "01:15-01:45"), "2026-11-01T01:20-05:00", "2026-11-01T01:20-05:00"),
        (hours("America/New_York", "00:30-01:40"), "2026-11-01T01:45:00.5-04:00", "2026-11-01T01:00-05:00"),
        (hours("Australia/Lord_Howe", "01:15-01:40"), "2026-04-05T01:50+11:00", "2026-04-05T01:30+10:30"),
        (hours("Australia/Lord_Howe", "02:10-02:50"), "2026-10-04T01:00+10:30", "2026-10-04T02:30+11:00"),
        # Midnight itself is skipped, or the last hour of Saturday comes twice.
        (hours("America/Santiago", "", 7), "2026-09-05T12:00-04:00", "2026-09-06T01:00-03:00"),
        (hours("America/Santiago", "", 6), "2026-04-04T23:30-04:00", "2026-04-04T23:30-04:00"),
        (hours("America/Santiago", "23:00-23:30", 6), "2026-04-04T23:40-03:00", "2026-04-04T23:00-04:00"),
        (hours("Africa/Casablanca", "02:00-02:30"), "2026-02-15T02:45+01:00", "2026-02-15T02:00+00:00"),
        (hours("Africa/Casablanca", "02:15-05:00"), "2026-03-22T01:00+00:00", "2026-03-22T03:00+01:00"),
        (hours("Asia/Kathmandu", "09:00-21:00"), "2026-11-23T08:00+05:45", "2026-11-23T09:00+05:45"),
        (hours("Asia/Kathmandu", "00:05-00:30"), "1985-12-31T23:00+05:30", "1986-01-01T00:15+05:45"),
        # Put forward and back within one week: both are seen, although they cancel each other.
        (hours("America/Noronha", "23:30-23:45", 6), "2000-10-07T23:59-02:00", "2000-10-14T23:30-01:00"),
        # Friday 30 December 2011 was skipped; the morning after its night was not.
        (hours("Pacific/Apia", "", 5), "2011-12-29T12:00-10:00", "2012-01-06T00:00+14:00"),
        (hours("Pacific/Apia", "22:00-06:00", 5), "2011-12-29T20:00-10:00", "2011-12-31T00:00+14:00"),
        (hours("Pacific/Apia", "22:00-06:00", 4), "2011-12-31T00:00+14:00", "2012-01-05T22:00+14:00"),
    ],
)
def test_opens(schedule: Hours, now: str, opens: str) -> None:
    opening = opens_at(schedule, datetime.fromisoformat(now).astimezone(UTC))
    assert opening == datetime.fromisoformat(opens)
    assert opening.tzinfo is UTC


@pytest.mark.parametrize(("zone", "at", "seconds"), SHIFTS)
def test_the_clocks_are_shifted_as_written_here(zone: str, at: str, seconds: int) -> None:
    shift = datetime.fromisoformat(at)
    before, after = ((shift + step).astimezone(ZoneInfo(zone)).utcoffset() for step in (-SECOND, timedelta(0)))
    assert before is not None
    assert after == before + timedelta(seconds=seconds)


@st.composite
def near_a_shift(draw: st.DrawFn, unit: timedelta, before: timedelta) -> tuple[Hours, datetime]:
    """Draw hours with edges near a shift of the clock, and a moment that is at most `before` ahead of the shift."""
    zone, at, _ = draw(st.sampled_from(SHIFTS))
    shift, longest = datetime.fromisoformat(at), timedelta(hours=2)
    distances = st.integers(-longest // unit, longest // unit).map(lambda units: units * unit)
    edges = st.builds(
        lambda distance, far: shift + distance + far, distances, st.sampled_from([timedelta(0), timedelta(hours=9)])
    )
    clocks = edges.map(lambda edge: edge.astimezone(ZoneInfo(zone)).time().replace(fold=0))
    ranges = st.lists(st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]), max_size=3).map(tuple)
    weekdays = st.lists(st.integers(1, 7), max_size=5, unique=True).map(tuple)
    now = shift + draw(st.integers(-before // unit, longest // unit)) * unit
    return Hours(zone, draw(ranges), draw(weekdays)), now


@settings(max_examples=400, deadline=None)
@given(near_a_shift(MINUTE, timedelta(days=2)))
def test_no_minute_before_it_is_allowed(case: tuple[Hours, datetime]) -> None:
    schedule, now = case
    first = now
    while not is_allowed(schedule, first):
        first += MINUTE
    assert opens_at(schedule, now) == first


@settings(max_examples=150, deadline=None)
@given(near_a_shift(SECOND, timedelta(hours=2)), st.timedeltas(timedelta(0), SECOND - MICROSECOND))
def test_no_second_before_it_is_allowed(case: tuple[Hours, datetime], offset: timedelta) -> None:
    schedule, now = case[0], case[1] + offset
    opens = opens_at(schedule, now)
    assert is_allowed(schedule, opens)
    assert opens == now or not is_allowed(schedule, now)
    looked_at = min(opens, now + timedelta(hours=3)) - case[1]
    assert not any(is_allowed(schedule, case[1] + n * SECOND) for n in range(1, -(-looked_at // SECOND)))


ZONES = st.timezone_keys(allow_prefix=False).filter(is_zone)
CLOCKS = st.times().map(lambda clock: clock.replace(microsecond=0))
RANGES = st.lists(st.tuples(CLOCKS, CLOCKS), max_size=4).map(tuple)
HOURS = st.builds(Hours, ZONES, RANGES, st.lists(st.integers(1, 7), max_size=7).map(tuple))
MOMENTS = st.datetimes(datetime(1930, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware


@settings(max_examples=400, deadline=None)
@given(HOURS, MOMENTS, st.lists(st.floats(0, 1, exclude_max=True), min_size=20, max_size=20))
def test_laws(schedule: Hours, now: datetime, shares: list[float]) -> None:
    opens = opens_at(schedule, now)
    assert is_allowed(schedule, opens)
    assert opens == opens_at(schedule, opens) >= now
    assert opens == now or not is_allowed(schedule, opens - MICROSECOND)
    between = [now + share * (opens - now) for share in shares]
    assert not any(is_allowed(schedule, at) for at in between if at < opens)


@given(HOURS)
def test_it_can_be_stored(schedule: Hours) -> None:
    assert msgspec.convert(msgspec.to_builtins(schedule, builtin_types=(datetime,)), Hours) == schedule


@pytest.mark.parametrize("day", [0, 8, -1])
def test_hours_that_never_come_cannot_be_made(day: int) -> None:
    with pytest.raises(ValueError, match="from 1"):
        Hours("UTC", (), (1, day))
    with pytest.raises(msgspec.ValidationError, match="from 1"):
        msgspec.convert({"zone": "UTC", "weekdays": [day]}, Hours)


@pytest.mark.parametrize("name", ["Europe/Moscow", "America/Argentina/Ushuaia", "UTC", "Etc/GMT-3", "Asia/Calcutta"])
def test_zones(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name", ["europe/moscow", "EUROPE/MOSCOW", "Europe", "MSK", "+03:00", "UTC+3", " UTC", "UTC\n", ""]
)
def test_no_names(name: str) -> None:
    assert not is_zone(name)


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "zone.tab", "zones"])
def test_not_all_that_lies_in_the_folder_is_a_zone(name: str) -> None:
    assert not is_zone(name)


@pytest.mark.parametrize(
    "name", ["/usr/share/zoneinfo/UTC", "../UTC", "./UTC", "Europe/", "Europe//Moscow", "UTC\0", "\ud800"]
)
def test_no_paths(name: str) -> None:
    assert not is_zone(name)


def test_every_zone_opens_where_the_system_has_none() -> None:
    script = (
        "from importlib.resources import files; from datetime import datetime, UTC, time; import zoneinfo\n"
        "from gateway.domain.terms.hours import Hours, is_zone, opens_at\n"
        "assert not zoneinfo.TZPATH\n"
        "zones = [name for name in files('tzdata').joinpath('zones').read_text().split() if is_zone(name)]\n"
        "for zone in zones: opens_at(Hours(zone, ((time(9), time(10)),)), datetime(2026, 11, 23, tzinfo=UTC))\n"
        "print(len(zones))"
    )
    bare = {**os.environ, "PYTHONTZPATH": ""}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=bare, capture_output=True, text=True, timeout=60, check=True
    )
    assert int(ran.stdout) > 400


def test_ranges_are_read() -> None:
    schedule = [
        ["09:00", "12:00:30"],
        ("22:00", "06:00"),
        ["20:00", "24:00"],
        ["00:00:00", "24:00:00"],
        ["20:00", "00:00"],
    ]
    evening, day = (time(20), time()), (time(), time())
    assert read_ranges(schedule) == ((time(9), time(12, 0, 30)), (time(22), time(6)), evening, day, evening)
    assert read_ranges([]) == ()


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ([], "a start and an end"),
        (["09:00"], "a start and an end"),
        (["09:00", "12:00", "15:00"], "a start and an end"),
        (["09:00", "09:00"], "from 09:00 to 09:00 is empty"),
        (["09:00", "09:00:00"], "from 09:00 to 09:00:00 is empty"),
        (["00:00", "00:00"], "the whole day is"),
        (["24:00", "06:00"], "24:00 can only be the end"),
        (["24:00", "24:00"], "24:00 can only be the end"),
        (["09:00", "24:01"], '"24:01" is not a time of day'),
        (["09:00", "24:00:01"], '"24:00:01" is not a time of day'),
        (["9:00", "10:00"], '"9:00" is not a time of day'),
        (["0900", "10:00"], '"0900" is not a time of day'),
        (["09:60", "10:00"], '"09:60" is not a time of day'),
        (["09:00:00.5", "10:00"], "is not a time of day"),
        (["09:00+03:00", "10:00"], "is not a time of day"),
        (["09:00\n", "10:00"], "is not a time of day"),
        (["٠٩:٠٠", "10:00"], "is not a time of day"),
        (["", "10:00"], '"" is not a time of day'),
    ],
)
def test_ranges_that_make_no_sense(pair: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_ranges([["01:00", "02:00"], pair])


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ("09:00-21:00", "outside of the allowed hours until 09:00 Mon 7 Dec, Europe/Moscow"),
        ("09:00:05-21:00", "outside of the allowed hours until 09:00:05 Mon 7 Dec, Europe/Moscow"),
    ],
)
def test_in_words(ranges: str, words: str) -> None:
    schedule = hours("Europe/Moscow", ranges, 1)
    assert describe(schedule, opens_at(schedule, datetime(2026, 12, 5, 22, tzinfo=UTC))) == words

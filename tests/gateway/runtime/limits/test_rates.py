"""Tests that a rate is kept by one account's moments, and by several processes over one database."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.channel.rates import KINDS, LONGEST, Limits, Rate, format_rate, read_limits, read_rate, slots
from gateway.runtime.limits.limiter import RateLimiter
from storage.documents.documents import Db

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
FAR = timedelta(days=3650)

LENGTHS = st.builds(
    lambda number, unit: number * unit,
    st.integers(1, 9999),
    st.sampled_from([SECOND, timedelta(minutes=1), timedelta(hours=1), DAY]),
)
RATES = st.builds(Rate, st.integers(1, 999_999), LENGTHS, st.integers(1, 999_999)).filter(
    lambda rate: rate.interval <= LONGEST / rate.burst
)
SMALL = st.builds(Rate, st.integers(1, 40), st.integers(1, 10).map(lambda n: n * SECOND), st.integers(1, 6))
REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 3000).map(lambda ms: timedelta(milliseconds=ms)),
        st.integers(1, 5),
        st.sampled_from([timedelta(0), SECOND, 5 * SECOND, FAR]),
    ),
    min_size=1,
    max_size=9,
)


def simulate(rate: Rate, requests: list[tuple[timedelta, int, timedelta]]) -> list[tuple[datetime, list[datetime]]]:
    """Make these requests one after another. Returns the time of each and the moments that it got."""
    free_at, now, grants = None, START, []
    for pause, count, horizon in requests:
        now += pause
        moments, next_free = slots(rate, free_at, now, count, horizon)
        free_at = next_free if moments else free_at
        grants.append((now, moments))
    return grants


def most_within(rate: Rate, length: timedelta) -> float:
    """Return how many may leave within this length, ends included: the burst and what is earned meanwhile."""
    return rate.burst + length / rate.interval


@given(SMALL, REQUESTS)
def test_no_stretch_of_time_holds_more_than_rate_and_burst_allow(
    rate: Rate, requests: list[tuple[timedelta, int, timedelta]]
) -> None:
    moments = sorted(moment for _, moments in simulate(rate, requests) for moment in moments)
    rounding = 1e-3  # an interval is rounded to microseconds
    for first, start in enumerate(moments):
        for last, end in enumerate(moments[first:], first):
            assert last - first + 1 <= most_within(rate, end - start) + rounding


@given(SMALL, REQUESTS)
def test_they_leave_in_order_at_once_if_they_may_and_within_the_horizon(
    rate: Rate, requests: list[tuple[timedelta, int, timedelta]]
) -> None:
    earlier: list[datetime] = []
    for (now, moments), (_, count, horizon) in zip(simulate(rate, requests), requests, strict=True):
        assert len(moments) in {0, count}
        assert moments == sorted(moments)
        assert all(moment >= max([now, *earlier[-1:]]) for moment in moments)
        assert not moments or moments[0] <= now + horizon
        assert not moments or not earlier or moments[0] == earliest_moment(rate, earlier, now)
        earlier += moments


def earliest_moment(rate: Rate, earlier: list[datetime], now: datetime) -> datetime:
    """Return the first moment at which a bucket of `burst` tokens, filled at the rate, is not empty, by definition."""
    tokens, at = float(rate.burst), earlier[0]
    for moment in earlier:
        tokens, at = min(rate.burst, tokens + (moment - at) / rate.interval) - 1, moment
    tokens, at = min(rate.burst, tokens + (max(now, at) - at) / rate.interval), max(now, at)
    wait = max(0.0, 1 - tokens) * rate.interval
    moment_after_wait = at + wait
    return moment_after_wait if wait > timedelta(microseconds=50) else at


@given(RATES, st.integers(1, 10))
def test_the_first_of_a_quiet_account_leaves_now_and_refusals_change_nothing(rate: Rate, count: int) -> None:
    moments, free_at = slots(rate, None, START, count, timedelta(0))
    assert moments[0] == START
    busy = START + rate.interval * rate.burst + SECOND
    assert slots(rate, busy, START, count, timedelta(0)) == ([], busy - rate.interval * (rate.burst - 1))
    long_ago = START - 2 * SECOND
    assert slots(rate, long_ago, START, count, timedelta(0)) == (moments, free_at)


def test_a_burst_leaves_at_once_and_the_rest_evenly() -> None:
    moments, _ = slots(Rate(1, SECOND, 3), None, START, 5, timedelta(0))
    assert [(moment - START) // SECOND for moment in moments] == [0, 0, 0, 1, 2]


@given(RATES)
def test_a_rate_is_read_as_it_is_format_rate(rate: Rate) -> None:
    parsed_rate = read_rate(format_rate(rate))
    assert parsed_rate == rate
    assert format_rate(parsed_rate) == format_rate(rate)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("30/s", Rate(30, SECOND)),
        ("20/min", Rate(20, 60 * SECOND)),
        ("1/6s burst 45", Rate(1, 6 * SECOND, 45)),
        ("1000/d", Rate(1000, DAY)),
        ("5/2h", Rate(5, 7200 * SECOND)),
        ("none", None),
    ],
)
def test_rates_as_settings_write_them(text: str, rate: Rate | None) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        *("", "0/s", "30", "30/", "30/0s", "-1/s", "1/s burst 0", "1/s burst", "1/week", " 1/s", "1/s ", "1.5/s"),
        *("1/s\n", "٣/s", "1234567/s", "1/12345s", "None", 30, True, None, ["1/s"]),
    ],
)
def test_a_wrong_rate_is_refused_with_a_sentence(text: object) -> None:
    with pytest.raises(ValueError, match=r'a limit is written like "30/s"'):
        read_rate(text)


@pytest.mark.parametrize("text", ["1/367d", "1/9999d burst 999999", "1/d burst 367"])
def test_a_rate_without_use_is_refused_before_it_breaks_a_send(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text} takes longer than 366 days to save up"):
        read_rate(text)


def test_settings_change_the_limits_that_they_name() -> None:
    defaults = Limits(account=Rate(30, SECOND), person=Rate(1, SECOND, 3))
    assert read_limits(defaults, {}) == defaults
    overrides = Limits(account=Rate(10, SECOND), template=Rate(1, DAY))
    assert read_limits(defaults, {"account": "10/s", "person": "none", "template": "1/d"}) == overrides
    with pytest.raises(ValueError, match=f"there are limits for: {', '.join(KINDS)}; not for persons"):
        read_limits(defaults, {"persons": "1/s"})


@pytest.mark.parametrize("rate", [Rate(30, SECOND), Rate(1, 6 * SECOND, 45), Rate(7, SECOND, 3)])
async def test_several_processes_keep_to_one_rate_together(db: Db, rate: Rate) -> None:
    """No moment is given out twice, and none is lost."""

    async def asks(number: int) -> list[datetime]:
        limiter, granted = RateLimiter(db), list[datetime]()
        for turn in range(8):
            answer = await limiter.take("vk:demo", rate, 1 + (number + turn) % 3, FAR, START)
            granted += answer if isinstance(answer, list) else []
        return granted

    moments = sorted(chain.from_iterable(await asyncio.gather(*map(asks, range(4)))))
    alone, _ = slots(rate, None, START, sum(1 + (number + turn) % 3 for number in range(4) for turn in range(8)), FAR)
    assert [(moment - START).total_seconds() for moment in moments] == pytest.approx(
        [(moment - START).total_seconds() for moment in alone], abs=1e-3
    )


async def test_a_process_that_knows_nothing_hears_it_from_the_database(db: Db) -> None:
    rate = Rate(1, SECOND)
    first = await RateLimiter(db).take("k", rate, 5, timedelta(0), START)
    assert first == [START + number * SECOND for number in range(5)]
    assert await RateLimiter(db).take("k", rate, 1, 2 * SECOND, START) == START + 5 * SECOND
    assert await RateLimiter(db).take("k", rate, 1, 5 * SECOND, START) == [START + 5 * SECOND]
    assert await RateLimiter(db).take("another", rate, 1, timedelta(0), START) == [START]


async def test_who_may_not_look_so_far_ahead_is_refused_and_takes_nothing(db: Db) -> None:
    """Requests at the same time, which share a write, make no difference."""
    limiter, rate = RateLimiter(db), Rate(1, SECOND, 2)
    answers = await asyncio.gather(
        limiter.take("k", rate, 4, timedelta(0), START),
        *[limiter.take("k", rate, 1, SECOND, START) for _ in range(5)],
        limiter.take("k", rate, 1, FAR, START),
    )
    assert answers[1:6] == [START + 3 * SECOND] * 5
    moments = [moment for answer in answers if isinstance(answer, list) for moment in answer]
    assert moments == [START + seconds * SECOND for seconds in (0, 0, 1, 2, 3)]


@pytest.mark.parametrize("ahead", [timedelta(hours=20), timedelta(days=400)])
def test_what_another_rate_or_a_wrong_clock_has_left_is_not_waited_for(ahead: timedelta) -> None:
    moments, free = slots(Rate(30, SECOND), START + ahead, START, 1, 5 * SECOND)
    assert moments == [START]
    assert free < START + SECOND

"""What is told in whole seconds happened in that second, and before we heard of it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.channel.moments import last_of_second, within_second

SECOND = datetime(2026, 11, 30, 10, tzinfo=UTC)
DELAYS = st.timedeltas(timedelta(0), timedelta(seconds=3))


@given(DELAYS, DELAYS)
def test_two_of_one_second_keep_the_order_in_which_they_came(first: timedelta, second: timedelta) -> None:
    earlier, later = (within_second(SECOND, SECOND + delay) for delay in sorted((first, second)))
    assert SECOND <= earlier <= later < SECOND + timedelta(seconds=1)
    assert earlier <= SECOND + min(first, second)


@given(DELAYS)
def test_what_is_told_more_exactly_stays_as_it_is(delay: timedelta) -> None:
    at = SECOND + timedelta(milliseconds=250)
    assert within_second(at, SECOND + delay) == at


def test_the_last_moment_of_a_second_is_its_last_millisecond() -> None:
    assert last_of_second(SECOND) == SECOND + timedelta(milliseconds=999)

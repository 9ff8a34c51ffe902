"""Tests the reply window: when it opens, when it closes, and how it is described."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.channel.window import MARGIN, Mode, Window, closes_at, describe, is_open, opened_from, span
from gateway.domain.model.nouns import Address, Session

DAY = timedelta(hours=24)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FRESH = Session("s1", Address("whatsapp", "shop", "79161234567"))

ROLLING = Window(Mode.HARD, DAY)
FIXED = Window(Mode.BILLING, DAY, rolling=False)
NONE = Window()

TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 6), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
MODES = st.sampled_from([mode for mode in Mode if mode is not Mode.NONE])
WINDOWS = st.builds(Window, MODES, st.timedeltas(timedelta(minutes=2), timedelta(days=3)), st.booleans())


def after_messages(window: Window, session: Session, *times: datetime) -> Session:
    """Return the session after messages of these times, which arrive in this order."""
    for at in times:
        session = replace(session, window_from_at=opened_from(window, session, at))
    return session


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(hours=1), timedelta(hours=23, minutes=58)])
def test_open_within_the_day(ago: timedelta) -> None:
    assert is_open(ROLLING, after_messages(ROLLING, FRESH, NOW - ago), NOW)


@pytest.mark.parametrize("ago", [DAY - MARGIN, DAY, timedelta(days=9)])
def test_shut_a_minute_before_the_day_is_over(ago: timedelta) -> None:
    assert not is_open(ROLLING, after_messages(ROLLING, FRESH, NOW - ago), NOW)


def test_never_opened() -> None:
    assert closes_at(ROLLING, None) is None
    assert closes_at(ROLLING, FRESH) is None
    assert not is_open(ROLLING, None, NOW)
    assert not is_open(ROLLING, FRESH, NOW)


def test_no_window_is_always_open() -> None:
    assert closes_at(NONE, after_messages(ROLLING, FRESH, NOW)) is None
    assert is_open(NONE, None, NOW)
    assert is_open(NONE, replace(FRESH, window_closed_at=NOW), NOW)


def test_rolling_counts_from_the_last_message() -> None:
    session = after_messages(ROLLING, FRESH, NOW, NOW + timedelta(hours=20))
    assert closes_at(ROLLING, session) == NOW + timedelta(hours=44)


def test_a_webhook_that_comes_days_late_does_not_shut_it() -> None:
    session = after_messages(ROLLING, FRESH, NOW, NOW - timedelta(days=3))
    assert closes_at(ROLLING, session) == NOW + DAY


def test_a_late_webhook_does_not_open_it() -> None:
    assert not is_open(ROLLING, after_messages(ROLLING, FRESH, NOW - timedelta(days=2)), NOW)


def test_fixed_counts_from_the_first_message() -> None:
    session = after_messages(FIXED, FRESH, NOW, NOW + timedelta(hours=20))
    assert closes_at(FIXED, session) == NOW + DAY
    assert closes_at(FIXED, after_messages(FIXED, session, NOW + DAY)) == NOW + DAY + DAY


def test_the_provider_knows_better() -> None:
    session = replace(after_messages(ROLLING, FRESH, NOW), window_closed_at=NOW + timedelta(hours=2))
    assert not is_open(ROLLING, session, NOW + timedelta(hours=2))
    assert is_open(ROLLING, after_messages(ROLLING, session, NOW + timedelta(hours=3)), NOW + timedelta(hours=3))


@pytest.mark.parametrize(
    ("window", "ago", "words"),
    [
        (NONE, timedelta(0), "no reply window on this channel"),
        (ROLLING, timedelta(hours=1), "window open for 23 h"),
        (ROLLING, timedelta(hours=23, minutes=59, seconds=20), "window closes in 40 s"),
        (ROLLING, DAY, "window closed 0 s ago"),
        (ROLLING, timedelta(hours=27), "window closed 3 h ago"),
        (ROLLING, timedelta(days=4), "window closed 3 d ago"),
    ],
)
def test_in_words(window: Window, ago: timedelta, words: str) -> None:
    assert describe(window, after_messages(ROLLING, FRESH, NOW - ago), NOW) == words


def test_in_words_when_nobody_has_written() -> None:
    assert describe(ROLLING, FRESH, NOW) == describe(ROLLING, None, NOW) == "the person has not written yet"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(hours=48), "2 d"),
    ],
)
def test_spans(length: timedelta, words: str) -> None:
    assert span(length) == words


@given(WINDOWS, TIMES, TIMES)
def test_open_means_before_the_end(window: Window, wrote: datetime, now: datetime) -> None:
    session = after_messages(window, FRESH, wrote)
    end = closes_at(window, session)
    assert end == wrote + window.length
    assert is_open(window, session, now) == (now + MARGIN < end)


@given(WINDOWS, TIMES, TIMES, st.timedeltas(timedelta(0), timedelta(days=9)))
def test_once_shut_it_stays_shut(window: Window, wrote: datetime, now: datetime, later: timedelta) -> None:
    session = after_messages(window, FRESH, wrote)
    if not is_open(window, session, now):
        assert not is_open(window, session, now + later)


@given(st.lists(TIMES, min_size=1, max_size=6).flatmap(lambda times: st.tuples(st.just(times), st.permutations(times))))
def test_a_rolling_window_does_not_care_about_the_order(orders: tuple[list[datetime], list[datetime]]) -> None:
    ends = {closes_at(ROLLING, after_messages(ROLLING, FRESH, *times)) for times in orders}
    assert ends == {max(orders[0]) + DAY}


@given(WINDOWS, st.lists(TIMES, min_size=1, max_size=6), TIMES)
def test_another_message_never_shuts_it_earlier(window: Window, times: list[datetime], at: datetime) -> None:
    before = after_messages(window, FRESH, *times)
    after = after_messages(window, before, at)
    first, second = closes_at(window, before), closes_at(window, after)
    assert first is not None
    assert second is not None
    assert second >= first


@given(WINDOWS, st.lists(TIMES, min_size=1, max_size=6))
def test_a_message_just_written_is_inside_the_window(window: Window, times: list[datetime]) -> None:
    end = closes_at(window, after_messages(window, FRESH, *sorted(times)))
    assert end is not None
    assert max(times) < end


@given(WINDOWS, TIMES, TIMES, TIMES)
def test_the_words_agree_with_the_rule(window: Window, wrote_at: datetime, closed_at: datetime, now: datetime) -> None:
    session = replace(after_messages(window, FRESH, wrote_at), window_closed_at=closed_at)
    assert describe(window, session, now).startswith(("window open for", "free session open for")) == is_open(
        window, session, now
    )


@given(WINDOWS, TIMES, TIMES)
def test_the_providers_word_only_shortens(window: Window, wrote_at: datetime, closed_at: datetime) -> None:
    session = after_messages(window, FRESH, wrote_at)
    own_end, reported_end = closes_at(window, session), closes_at(window, replace(session, window_closed_at=closed_at))
    assert own_end is not None
    assert reported_end is not None
    assert reported_end <= own_end
    assert reported_end == (min(own_end, closed_at) if closed_at >= wrote_at else own_end)

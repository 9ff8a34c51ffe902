"""When work is ready that may be done within allowed hours only."""

from datetime import UTC, datetime, time, timedelta

import pytest

from gateway.domain.terms.hours import Hours, closes_at, ready_at

pytestmark = pytest.mark.fast
DAY = Hours("Europe/Moscow", ((time(9), time(21)),))
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)


def at(hours: float) -> datetime:
    """Return a moment so many hours after midnight in UTC, which is three o'clock in Moscow."""
    return MONDAY + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("start", "work", "end"),
    [
        (7, 2, 9),  # within the day
        (17, 2, 25 + 6),  # an hour before the evening, and one in the next morning
        (20, 1, 25 + 6),  # in the night: it begins in the morning
        (6, 12, 18),  # a whole day exactly
        (6, 30, 48 + 12),  # two days and a half
    ],
)
def test_work_goes_on_in_the_next_allowed_hours(start: float, work: float, end: float) -> None:
    assert ready_at(DAY, at(start), timedelta(hours=work)) == at(end)


def test_without_hours_it_never_stops() -> None:
    assert closes_at(Hours("UTC"), at(0)) is None
    assert ready_at(Hours("UTC"), at(0), timedelta(days=9)) == at(9 * 24)


def test_weekdays_count() -> None:
    friday = Hours("UTC", (), (5,))
    assert ready_at(friday, at(0), timedelta(hours=30)) == at(4 * 24 + 7 * 24 + 6)


def test_what_is_too_far_away_is_not_told() -> None:
    assert ready_at(Hours("UTC", ((time(9), time(9, 0, 1)),)), at(0), timedelta(hours=1)) is None

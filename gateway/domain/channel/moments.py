"""Moments as providers tell them: often in whole seconds, and in any order. Pure."""

from datetime import datetime, timedelta

REST = timedelta(milliseconds=999)
"""What may be missing of a moment that is told in whole seconds."""


def last_of_second(at: datetime) -> datetime:
    """Return the latest moment that may be meant by this one."""
    return at if at.microsecond else at + REST


def within_second(at: datetime, arrived: datetime) -> datetime:
    """Return when something happened, as far as its arrival tells: by then, and in the second that is told.

    A question, its answer and the next question may come in one second, and are to be read in that order.
    """
    return max(at, min(arrived, last_of_second(at)))


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two moments, or the one that there is."""
    return max(filter(None, (one, other)), default=None)

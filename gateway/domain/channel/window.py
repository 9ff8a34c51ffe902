"""The reply window: it decides whether free text may be sent. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from gateway.domain.model.nouns import Session

MARGIN = timedelta(seconds=60)
"""A send that starts in this last minute may arrive too late, so the window counts as closed already."""


class Mode(StrEnum):
    """What happens to free text outside of the window.

    HARD: the provider refuses it. POLICY: its rules forbid it, though the API allows it. BILLING: it costs more.
    """

    HARD = "hard"
    POLICY = "policy"
    BILLING = "billing"
    NONE = "none"


class Window(Struct, frozen=True):
    """A channel's reply window. rolling: every inbound message opens it anew; otherwise it runs from the first one."""

    mode: Mode = Mode.NONE
    length: timedelta = timedelta(0)
    rolling: bool = True


def opened_from(window: Window, session: Session, at: datetime) -> datetime:
    """Return when the window was opened into which an inbound message of the moment `at` falls."""
    start = session.window_from_at
    if window.rolling:
        return max(at, start) if start else at
    return start if start and at < start + window.length else at


def closes_at(window: Window, session: Session | None) -> datetime | None:
    """Return when the window closes; None where there is no window, or where it was never opened."""
    if window.mode is Mode.NONE or session is None or session.window_from_at is None:
        return None
    end = session.window_from_at + window.length
    closed = session.window_closed_at
    return min(end, closed) if closed and closed >= session.window_from_at else end


def is_open(window: Window, session: Session | None, now: datetime) -> bool:
    """Tell whether the window is open for this person now."""
    if window.mode is Mode.NONE:
        return True
    end = closes_at(window, session)
    return end is not None and now < end - MARGIN


def is_free(window: Window, session: Session | None, now: datetime) -> bool:
    """Tell whether free text may be sent. Outside of a billing window it only costs more."""
    return window.mode is Mode.BILLING or is_open(window, session, now)


def describe(window: Window, session: Session | None, now: datetime) -> str:
    """Describe the window's state, for people who ask why a template was sent."""
    if window.mode is Mode.NONE:
        return "no reply window on this channel"
    name, never, outside = _BILLED if window.mode is Mode.BILLING else _KEPT
    end = closes_at(window, session)
    if end is None:
        return never
    if is_open(window, session, now):
        return f"{name} open for {span(end - now)}"
    state = f"closed {span(now - end)} ago" if now >= end else f"closes in {span(end - now)}"
    return f"{name} {state}{outside}"


_KEPT = ("window", "the person has not written yet", "")
_BILLED = ("free session", "no free session, charged", ", charged")
"""A window's name, its description before it was ever opened, and what is added when it is closed."""


def span(length: timedelta) -> str:
    """Return a length of time in the largest unit that fits: "3 h", "12 min", "40 s"."""
    seconds = max(0, int(length.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "d" else 1):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"

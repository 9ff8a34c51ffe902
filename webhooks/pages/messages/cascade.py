"""The picture of a cascade: a lane for each channel, time across. Pure.

Every gap of over an hour in which nothing happens is cut, so that a message that waited for the morning can be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from gateway.domain.api.response import AttemptView

LEFT, RIGHT, LANE, TOP = 128, 860, 38, 14
"""In the picture's units: where the time begins and ends, and how high a lane is."""

SHORTEST = 14
"""The least width of a bar."""

WORDS = 60
"""Characters of a reason for which there is room beside a bar."""

CUT = timedelta(hours=1)
CUT_TO = timedelta(minutes=2)
TICKS = 4


@dataclass(frozen=True)
class Bar:
    """One attempt. x, width: from its send to its end. skipped: it was none. late: its receipt came afterwards."""

    attempt: AttemptView
    x: float
    y: float
    width: float
    skipped: bool

    @property
    def why(self) -> str:
        """Return why it was skipped, without the channel's name."""
        return self.attempt.reason.removeprefix(f"{self.attempt.channel}: ")[:WORDS] if self.attempt.reason else ""

    @property
    def end(self) -> float:
        """Return where it ends."""
        return self.x + self.width


@dataclass(frozen=True)
class Lane:
    """A channel's row of the picture."""

    channel: str
    y: float


@dataclass(frozen=True)
class Tick:
    """A moment on the axis. cut: the time before it is left out."""

    x: float
    at: datetime
    cut: bool


@dataclass(frozen=True)
class Picture:
    """All that is drawn."""

    lanes: Sequence[Lane]
    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    height: float
    width: float = RIGHT + 160


def drawn(attempts: Sequence[AttemptView]) -> Picture | None:
    """Return the picture of these attempts; None while there are none."""
    if not attempts:
        return None
    channels = list(dict.fromkeys(attempt.channel for attempt in attempts))
    spans = [_span(attempt) for attempt in attempts]
    scale = _Scale(sorted(moment for span in spans for moment in span))
    pairs = zip(attempts, spans, strict=True)
    bars = [_bar(attempt, span, channels.index(attempt.channel), scale) for attempt, span in pairs]
    lanes = [Lane(channel, _y(index)) for index, channel in enumerate(channels)]
    return Picture(lanes, bars, scale.ticks(), _y(len(channels)) + TOP)


def _span(attempt: AttemptView) -> tuple[datetime, datetime]:
    end = datetime.fromisoformat(attempt.changed_at or "")
    return (datetime.fromisoformat(attempt.sent_at) if attempt.sent_at else end), end


def _bar(attempt: AttemptView, span: tuple[datetime, datetime], lane: int, scale: "_Scale") -> Bar:
    start, end = scale.x(span[0]), scale.x(span[1])
    skipped = attempt.status == "SKIPPED"
    width = max(end - start, SHORTEST * (3 if skipped else 1))
    return Bar(attempt, start, _y(lane), width, skipped)


def _y(lane: int) -> float:
    return TOP + lane * LANE


class _Scale:
    """Moments to places, with the long gaps cut out."""

    def __init__(self, moments: Sequence[datetime]) -> None:
        self._moments = moments
        self._offsets = [timedelta(0)]
        for before, after in pairwise(moments):
            gap = after - before
            self._offsets.append(self._offsets[-1] + (CUT_TO if gap > CUT else gap))
        self._length = max(self._offsets[-1], timedelta(seconds=1))

    def x(self, moment: datetime) -> float:
        return LEFT + (RIGHT - LEFT) * (self._offsets[self._moments.index(moment)] / self._length)

    def ticks(self) -> Sequence[Tick]:
        """Return the moments that are written below, not nearer to each other than their words."""
        apart, ticks = (RIGHT - LEFT) / TICKS * 0.75, list[Tick]()
        for index, moment in enumerate(self._moments):
            cut = index > 0 and moment - self._moments[index - 1] > CUT
            if not ticks or cut or self.x(moment) - ticks[-1].x >= apart:
                ticks.append(Tick(self.x(moment), moment, cut))
        return ticks

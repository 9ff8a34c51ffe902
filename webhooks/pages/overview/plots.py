"""Plots as SVG: lines over time, and bars. Pure; each has its table beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

LEFT, RIGHT, TOP, BOTTOM = 46.0, 620.0, 12.0, 190.0
"""The plot's edges, in the picture's units."""

BAR, GAP = 30.0, 14.0
LABELS, MOST_BAR = 96.0, 330.0


@dataclass(frozen=True)
class Line:
    """A line. name: of the channel or the status that it stands for. points: as SVG writes them."""

    name: str
    points: str


@dataclass(frozen=True)
class Mark:
    """A figure at an axis, at `at`: x or y."""

    at: float
    value: object


@dataclass(frozen=True)
class Lines:
    """A plot of lines."""

    lines: Sequence[Line]
    ups: Sequence[Mark]
    times: Sequence[Mark]
    width: float = RIGHT + 10
    height: float = BOTTOM + 26


@dataclass(frozen=True)
class Bar:
    """How many were tried on a channel, and how many of them ended there."""

    channel: str
    tried: int
    ended: int
    y: float
    tried_width: float
    ended_width: float

    @property
    def share(self) -> float:
        """Return how many of a hundred that were tried have ended there."""
        return 100 * self.ended / self.tried if self.tried else 0.0


def lines(series: Mapping[str, Sequence[int]], moments: Sequence[datetime]) -> Lines:
    """Return a line for each channel, or each status, over these moments."""
    top = nice(max((value for values in series.values() for value in values), default=0))
    step = (RIGHT - LEFT) / max(len(moments) - 1, 1)
    drawn = [
        Line(name, " ".join(f"{LEFT + index * step:.1f},{_y(value, top):.1f}" for index, value in enumerate(values)))
        for name, values in series.items()
    ]
    ups = [Mark(_y(value, top), value) for value in (0, top // 2, top) if value or not top % 2]
    times = [Mark(LEFT + index * step, moments[index]) for index in sorted({0, len(moments) // 2, len(moments) - 1})]
    return Lines(drawn, ups, times)


def bars(found: Mapping[str, tuple[int, int]]) -> Sequence[Bar]:
    """Return a bar for each channel: how many were tried there and how many ended there."""
    most = max((tried for tried, _ in found.values()), default=0) or 1
    return [
        Bar(name, tried, ended, index * (BAR + GAP), MOST_BAR * tried / most, MOST_BAR * min(ended, tried) / most)
        for index, (name, (tried, ended)) in enumerate(found.items())
    ]


def nice(most: int) -> int:
    """Return the round figure at which an axis ends that has to show `most`."""
    size = int("1" + "0" * (len(str(most)) - 1))
    return next(factor * size for factor in (1, 2, 4, 6, 8, 10, 20) if factor * size >= max(most, 2))


def _y(value: int, top: int) -> float:
    return BOTTOM - (BOTTOM - TOP) * value / top

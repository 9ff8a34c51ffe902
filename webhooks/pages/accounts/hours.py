"""An account's last day as a row of small bars, one an hour: what was sent, and what of it failed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

HEIGHT, STEP, WIDTH = 28.0, 5.0, 4.0
LEAST = 1.5
"""The height of a bar that stands for very few."""


@dataclass(frozen=True)
class Hour:
    """An hour: its beginning, its counts, and its bar in the picture's units. Failures stand at the bar's foot."""

    at: datetime
    sends: int
    failures: int
    x: float
    height: float
    failed_height: float


@dataclass(frozen=True)
class Hours:
    """A day, hour by hour."""

    hours: Sequence[Hour]
    width: float
    height: float = HEIGHT

    @property
    def sends(self) -> int:
        """Return how often it was sent."""
        return sum(hour.sends for hour in self.hours)

    @property
    def failures(self) -> int:
        """Return how often that failed."""
        return sum(hour.failures for hour in self.hours)


def drawn(counts: Sequence[tuple[datetime, int, int]]) -> Hours:
    """Return the picture of hours with their sends and failures."""
    most = max((sends for _, sends, _ in counts), default=0) or 1
    hours = [
        Hour(at, sends, failures, index * STEP, _height(sends, most), _height(failures, most))
        for index, (at, sends, failures) in enumerate(counts)
    ]
    return Hours(hours, len(hours) * STEP)


def _height(count: int, most: int) -> float:
    return max(LEAST, HEIGHT * count / most) if count else 0.0

"""The rows of the table of figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` is to the floor that its part names; `goal` says what it ought to be, in words."""

    part: str
    name: str
    value: float
    unit: str
    ratio: float | None = None
    goal: str = ""

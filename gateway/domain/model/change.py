"""Changes of a message's status, and the callback that reports them to the caller. Plain values."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from gateway.domain.model.nouns import Progress
from gateway.domain.terms.price import Price

Wanted = Literal["all", "final", "undelivered"]


class Callback(Struct, frozen=True, omit_defaults=True):
    """The URL that receives a message's changes. wanted: all of them, the final ones, or only failures."""

    url: str
    wanted: Wanted = "all"


class Change(Struct, frozen=True, omit_defaults=True):
    """A change of the message's status, of one of its attempts, or of both; `sequence` counts them from 1.

    old, new: the message's status before and after. reason: the latest decision, in words.
    attempt: the attempt (its index) that has come to `progress`, if it is one that left, or may have left.
    finished_at: set in one change only, since which nothing more is waited for.
    """

    sequence: int
    old: str
    new: str
    at: datetime
    channel: str | None = None
    reason: str = ""
    parts: int = 0
    price: Price | None = None
    attempt: int | None = None
    progress: Progress | None = None
    finished_at: datetime | None = None

"""Changes of a message's status that somebody wants to be told of. Plain values."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from gateway.domain.terms.price import Price

Wanted = Literal["all", "final", "undelivered"]


class Callback(Struct, frozen=True, omit_defaults=True):
    """Where a caller wants to be told, and of what: every change, the last ones, or only bad ends."""

    url: str
    wanted: Wanted = "all"


class Change(Struct, frozen=True, omit_defaults=True):
    """A status became another; `sequence` counts them from 1. reason: in words, as the story tells it."""

    sequence: int
    old: str
    new: str
    at: datetime
    channel: str | None = None
    reason: str = ""
    parts: int = 0
    price: Price | None = None

"""Changes of a message's status, and the callback that reports them to the caller. Plain values."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from gateway.domain.terms.price import Price

Wanted = Literal["all", "final", "undelivered"]


class Callback(Struct, frozen=True, omit_defaults=True):
    """The URL that receives a message's changes. wanted: all of them, the final ones, or only failures."""

    url: str
    wanted: Wanted = "all"


class Change(Struct, frozen=True, omit_defaults=True):
    """A change of status; `sequence` counts them from 1. reason: the latest decision, in words."""

    sequence: int
    old: str
    new: str
    at: datetime
    channel: str | None = None
    reason: str = ""
    parts: int = 0
    price: Price | None = None

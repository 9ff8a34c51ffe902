"""A provider's HTTP request to us: how it arrives, what it is taken apart into, and how it can be refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain.model.event import Event


@dataclass(frozen=True)
class Call:
    """A provider's HTTP request. `url` is the public one, as the provider saw it; header names in lower case.

    `received_at` stands in where a provider gives no time of its own.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the provider wants to hear."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Parsed:
    """A call, taken apart: the events in it, and the answer once they are stored."""

    events: Sequence[Event] = ()
    answer: Answer = Answer()


class Forged(Exception):
    """The proof is missing or wrong. 401, or 403 where the provider's documentation says so."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


class Malformed(Exception):
    """The proof is right but this is not what the provider sends: not JSON, or not of the outer shape. 400."""

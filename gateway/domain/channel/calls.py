"""A provider's HTTP request to us, what a channel parses from it, and the errors that refuse it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain.model.event import Event


@dataclass(frozen=True)
class Call:
    """A provider's HTTP request.

    url: the public one, as the provider called it. headers: names in lower case. received_at: the time of events for
    which the provider gives none.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The HTTP response that the provider expects."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Parsed:
    """The events of a call, and the answer to give once they are stored."""

    events: Sequence[Event] = ()
    answer: Answer = Answer()


class Forged(Exception):
    """The call's proof is missing or wrong. The answer is 401, or 403 where the provider's documentation says so."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


class Malformed(Exception):
    """The proof is right, but the body is not JSON or not what the provider sends. The answer is 400."""

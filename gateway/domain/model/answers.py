"""How often a person is answered: two machines that answer each other would never stop. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from msgspec import Struct

MOST, WITHIN = 15, timedelta(seconds=30)
SAME, QUIET = 2, timedelta(minutes=10)
"""So many answers in a row may be the same, until nothing has been asked for so long."""

Reason = Literal["often", "same", "hour", "day"]
LONG: dict[Reason, tuple[int, timedelta]] = {"hour": (60, timedelta(hours=1)), "day": (200, timedelta(days=1))}
"""So many answers may be said in an hour and in a day, each counted from its first answer on."""

WORDS: dict[Reason, str] = {
    "often": f"{MOST} answers have gone to this person within {WITHIN.seconds} s",
    "same": f"the person has had this answer {SAME} times in a row",
    "hour": f"{LONG['hour'][0]} answers have gone to this person within an hour",
    "day": f"{LONG['day'][0]} answers have gone to this person within a day",
}


class Answer(Struct, frozen=True, omit_defaults=True):
    """An answer of the bot's in a session. event: the key of what it answers; text: a digest of what it says.

    withheld: it was not said. Of those only the latest is kept.
    """

    event: str
    at: datetime
    text: str
    withheld: bool = False


class Span(Struct, frozen=True):
    """An hour or a day that began with an answer, and how many were said in it."""

    since: datetime
    said: int


Spans = Mapping[Reason, Span]


def digest(text: str) -> str:
    """Return a short name of a text: the same text always has the same."""
    return sha256(text.encode()).hexdigest()[:16]


def why_withheld(answers: Sequence[Answer], spans: Spans, answer: Answer) -> Reason | None:
    """Return why this answer may not follow those, or None where it may."""
    if _is_said(answers, answer.event):
        return None  # its event is worked on again
    said = [earlier for earlier in answers if not earlier.withheld]
    if sum(earlier.at > answer.at - WITHIN for earlier in said) >= MOST:
        return "often"
    for name, (most, _) in LONG.items():
        if (span := _running(spans, name, answer.at)) and span.said >= most:
            return name
    is_row = [earlier.text for earlier in said[-SAME:]] == [answer.text] * SAME
    return "same" if is_row and answer.at - answers[-1].at < QUIET else None


def with_answer(answers: Sequence[Answer], answer: Answer) -> tuple[Answer, ...]:
    """Return the answers with this one: as many as `why_withheld` can need."""
    if answers and answer.at - answers[-1].at >= QUIET:
        return (answer,)
    said = [earlier for earlier in answers if not earlier.withheld and earlier.event != answer.event]
    return (*said[-MOST:], answer)


def counted(answers: Sequence[Answer], spans: Spans, answer: Answer) -> Spans:
    """Return the running hour and day with this answer, unless it was not said, or is counted already."""
    if answer.withheld or _is_said(answers, answer.event):
        return spans
    running = {name: _running(spans, name, answer.at) or Span(answer.at, 0) for name in LONG}
    return {name: Span(span.since, span.said + 1) for name, span in running.items()}


def _is_said(answers: Sequence[Answer], event: str) -> bool:
    return any(answer.event == event and not answer.withheld for answer in answers)


def _running(spans: Spans, name: Reason, at: datetime) -> Span | None:
    span = spans.get(name)
    return span if span and at - span.since < LONG[name][1] else None

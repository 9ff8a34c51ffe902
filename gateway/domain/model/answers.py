"""How often a person is answered: two machines that answer each other would never stop. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from msgspec import Struct

MOST, WITHIN = 15, timedelta(seconds=30)
SAME, QUIET = 2, timedelta(minutes=10)
"""So many answers in a row may be the same, until nothing has been asked for so long."""

Reason = Literal["often", "same"]
WORDS: dict[Reason, str] = {
    "often": f"{MOST} answers have gone to this person within {WITHIN.seconds} s",
    "same": f"the person has had this answer {SAME} times in a row",
}


class Answer(Struct, frozen=True, omit_defaults=True):
    """An answer of the bot's in a session. event: the key of what it answers; text: a digest of what it says.

    withheld: it was not said. Of those only the latest is kept.
    """

    event: str
    at: datetime
    text: str
    withheld: bool = False


def digest(text: str) -> str:
    """Return a short name of a text: the same text always has the same."""
    return sha256(text.encode()).hexdigest()[:16]


def why_withheld(answers: Sequence[Answer], answer: Answer) -> Reason | None:
    """Return why this answer may not follow those, or None where it may."""
    said = [earlier for earlier in answers if not earlier.withheld and earlier.event != answer.event]
    if sum(earlier.at > answer.at - WITHIN for earlier in said) >= MOST:
        return "often"
    is_row = [earlier.text for earlier in said[-SAME:]] == [answer.text] * SAME
    return "same" if is_row and answer.at - answers[-1].at < QUIET else None


def with_answer(answers: Sequence[Answer], answer: Answer) -> tuple[Answer, ...]:
    """Return the answers with this one: as many as `why_withheld` can need."""
    if answers and answer.at - answers[-1].at >= QUIET:
        return (answer,)
    said = [earlier for earlier in answers if not earlier.withheld and earlier.event != answer.event]
    return (*said[-MOST:], answer)

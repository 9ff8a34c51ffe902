"""Consent: whether an opt-out holds, by all that was said about it. Pure.

Words are heard in any order. What counts is when they were said, by the provider's time.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

PERSON = "word"
"""How `by` begins where the person said it by a keyword."""

PROVIDER = "provider"
"""How `by` begins where the person used the provider's own switch."""

MOST = 1000
"""The lines of a log that are kept: the newest ones, and those that hold."""


class Word(Struct, frozen=True):
    """A line of an opt-out's log. out: True for an opt-out, False for an opt-in."""

    at: datetime
    by: str
    out: bool
    reason: str = ""


def takes_back(back: Word, out: Word) -> bool:
    """Tell whether whoever said `back` may take back what was said in `out`.

    A person's keyword takes back keywords of theirs, a provider's switch what it said, and the business anything.
    """
    if back.by.startswith(PERSON):
        return out.by.startswith(PERSON)
    return out.by == back.by if back.by.startswith(PROVIDER) else True


def standing(log: Sequence[Word]) -> list[Word]:
    """Return the opt-outs that hold, the earliest first. Of what was said at the same moment, the last line counts."""
    return [log[place] for place in sorted(_standing(log), key=lambda place: log[place].at)]


def _standing(log: Sequence[Word]) -> Iterator[int]:
    """Yield the places of the lines that hold."""
    last: dict[str, tuple[datetime, int]] = {}
    backs: dict[str, Word] = {}
    for place, word in enumerate(log):
        if not word.out and (word.at, place) > last.get(word.by, (word.at, -1)):
            last[word.by], backs[word.by] = (word.at, place), word
    for place, word in enumerate(log):
        if word.out and not any(takes_back(back, word) and last[by] > (word.at, place) for by, back in backs.items()):
            yield place


def heard(log: Sequence[Word], word: Word) -> list[Word]:
    """Return the log with one more line, once. Too long a log loses its oldest lines, but none that holds."""
    lines = list(log) if word in log else [*log, word]
    if len(lines) <= MOST:
        return lines
    kept = {*_standing(lines), *range(len(lines) - MOST, len(lines))}
    return [lines[place] for place in sorted(kept)]

"""Text that is too long for one message, cut where it hurts least."""

import unicodedata
from collections.abc import Iterator

JOINER = "\u200d"


def units(text: str) -> int:
    """The length in UTF-16 code units, in which an emoji is two: how Telegram counts, and the strictest way to."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, most: int) -> Iterator[str]:
    """Pieces of at most so many units, in order; white space at the cuts is dropped. A short text is its own piece."""
    if units(text) > most:
        text = text.strip()
    while units(text) > most:
        fitting = _fitting(text, most)
        end = boundary(text, fitting // 2, fitting)
        yield text[:end].rstrip()
        text = text[end:].lstrip()
    yield text


def boundary(text: str, low: int, high: int) -> int:
    """The best place to cut from `low` to `high`: between lines, between words, else between whole characters."""
    for mark in "\n ":
        if (at := text.rfind(mark, low, high + 1)) > 0:
            return at
    return next((at for at in range(high, low, -1) if not _tears(text[at - 1], text[at])), high)


def _fitting(text: str, most: int) -> int:
    """How many characters fit. The half of a pair that the slice may end with is dropped."""
    return len(text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore"))


def _tears(before: str, after: str) -> bool:
    """Do the two belong to one sign, as an accent, an emoji's skin or the halves of a flag do?"""
    return (
        JOINER in {before, after}
        or unicodedata.category(after).startswith("M")
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
    )

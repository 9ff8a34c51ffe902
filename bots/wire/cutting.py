"""Cuts text that is too long for one message at the least harmful places."""

import unicodedata
from collections.abc import Iterator

from gateway.domain.model.visible import is_visible

JOINER = "\u200d"


def units(text: str) -> int:
    """Return the length in UTF-16 code units, in which an emoji is two.

    Telegram counts so, and it is the strictest way to count.
    """
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, limit: int) -> Iterator[str]:
    """Yield pieces of at most `limit` UTF-16 code units, in order.

    White space at the cuts is dropped, and so is a piece that nobody would see. A text that fits is its own single
    piece.
    """
    if units(text) <= limit:
        yield text
        return
    text = text.strip()
    while text:
        length = _fitting_length(text, limit)
        end = len(text) if length == len(text) else boundary(text, length // 2, length)
        if is_visible(piece := text[:end].rstrip()):
            yield piece
        text = text[end:].lstrip()


def boundary(text: str, low: int, high: int) -> int:
    """Return the best place to cut from `low` to `high`: between lines, else words, else whole characters."""
    for mark in "\n ":
        if (at := text.rfind(mark, low, high + 1)) > 0:
            return at
    return next((at for at in range(high, low, -1) if not _is_one_grapheme(text[at - 1], text[at])), high)


def _fitting_length(text: str, limit: int) -> int:
    """Return how many characters fit into `limit` units. Half of a surrogate pair at the end is dropped."""
    return len(text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore"))


def _is_one_grapheme(before: str, after: str) -> bool:
    """Tell whether both belong to one grapheme, as an accent, an emoji's skin or the halves of a flag do."""
    return (
        JOINER in {before, after}
        or unicodedata.category(after).startswith("M")
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
    )

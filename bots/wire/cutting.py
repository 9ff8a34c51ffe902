"""Cuts text that is too long for one message at the least harmful places."""

import unicodedata
from collections.abc import Iterator

from gateway.domain.model.visible import is_visible

JOINER = "\u200d"
VIRAMA = 9
"""The combining class of the marks that join consonants in Indic scripts."""

LEADING, VOWELS, TRAILING = ("\u1100", "\u115f"), ("\u1160", "\u11a7"), ("\u11a8", "\u11ff")
SYLLABLES = ("\uac00", "\ud7a3")
"""The parts of Hangul's syllables, and whole ones; keyboards of some phones send parts."""


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
    return next((at for at in range(high, low, -1) if not _tears(text, at)), high)


def _fitting_length(text: str, limit: int) -> int:
    """Return how many characters fit into `limit` units. Half of a surrogate pair at the end is dropped."""
    return len(text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore"))


def _tears(text: str, at: int) -> bool:
    """Tell whether a cut here tears a grapheme: an accent, emoji that are one, a flag, a syllable. Unicode: UAX 29.

    The rules are its own, but for rare signs that stand before others. A library's take seconds for long rows of flags.
    """
    before, after = text[at - 1], text[at]
    if is_flag_half(before) and is_flag_half(after):
        start = at
        while start and is_flag_half(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 1
    return _continues(after) or before == JOINER or _is_one_syllable(before, after)


def is_flag_half(character: str) -> bool:
    """Tell whether two such characters make a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _continues(after: str) -> bool:
    """Tell whether the character belongs to the one before: marks, joiners, skin tones, and the tags of a flag."""
    return (
        after in {JOINER, "\u200c"}
        or unicodedata.category(after).startswith("M")
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or "\U000e0020" <= after <= "\U000e007f"
    )


def _is_one_syllable(before: str, after: str) -> bool:
    """Tell whether both are of one syllable: of Hangul, or joined by an Indic virama."""
    if unicodedata.combining(before) == VIRAMA:
        return unicodedata.category(after) == "Lo"
    if LEADING[0] <= before <= LEADING[1]:
        return LEADING[0] <= after <= VOWELS[1] or SYLLABLES[0] <= after <= SYLLABLES[1]
    if SYLLABLES[0] <= before <= SYLLABLES[1] or VOWELS[0] <= before <= VOWELS[1]:
        return VOWELS[0] <= after <= TRAILING[1]
    return TRAILING[0] <= before <= TRAILING[1] and TRAILING[0] <= after <= TRAILING[1]

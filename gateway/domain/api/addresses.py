"""Finds web addresses in texts that people write: where one begins, and where the sentence goes on. Pure, linear time.

An address ends before what cannot stand in one: white space, quotes, brackets and sentence marks of any script. At its
end the marks of the sentence around it are taken off, too. ASCII brackets belong to it as far as they are balanced.
"""

import re
from collections.abc import Iterator, Mapping
from unicodedata import category

SCHEME = re.compile(r"https?://", re.IGNORECASE)
SENTENCE = ".,;:!?"
"""Marks that belong to the sentence where an address ends with them."""

AROUND = "*_~'`"
"""Marks that belong to the sentence where an address ends with one and another of its kind stands right before it."""

OPENING = {")": "(", "]": "[", "}": "{"}
LEADING_ON = "=/?"
"""After these an address inside of another one belongs to it: a redirect's target, an archive's page."""

MARKS = "。，、！？；：．｡､،؛؟۔।॥…︰܀։՝՞။၊።፣፤፥፧᠂᠃៖។᙮׃—"
"""What ends sentences in other scripts; there is often no space after it."""

QUOTES = "".join(mark for mark in map(chr, range(0x80, 0xFFFE)) if category(mark) in {"Ps", "Pe", "Pi", "Pf", "Cc"})
END = re.compile(rf"[\s\x00-\x20<>\"|\\^{re.escape(QUOTES + MARKS)}]")
"""What no address goes on after."""


def find_addresses(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each address, in order."""
    starts = [match.start() for match in SCHEME.finditer(text)]
    stop = 0
    for start, limit in zip(starts, _limits(text, starts), strict=True):
        if start >= stop:
            end = END.search(text, start, limit)
            stop = end.start() if end else limit
            yield start, _trimmed_end(text, start, stop)


def _limits(text: str, starts: list[int]) -> list[int]:
    """Return for each address where the next one certainly begins."""
    limits, limit = list[int](), len(text)
    for start in reversed(starts):
        limits.append(limit)
        limit = limit if text[start - 1 : start] in {*LEADING_ON} else start
    return limits[::-1]


def _trimmed_end(text: str, start: int, end: int) -> int:
    """Return where the address ends without the marks of the sentence around it."""
    address, before = text[start:end], text[start - 1 : start]
    surplus = {mark: address.count(mark) - address.count(opening) for mark, opening in OPENING.items()}
    while end > start and _is_mark(mark := text[end - 1], before, surplus):
        surplus[mark] = surplus.get(mark, 0) - 1
        end -= 1
    return end


def _is_mark(mark: str, before: str, surplus: Mapping[str, int]) -> bool:
    """Tell whether the last character of an address belongs to the sentence. surplus: closing brackets too many."""
    if mark.isascii():
        return mark in SENTENCE or (mark in AROUND and mark == before) or surplus.get(mark, 0) > 0
    return category(mark)[0] not in "LNM"

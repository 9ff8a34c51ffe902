"""Computes how a text is cut into the short messages that a carrier charges for (3GPP TS 23.038 and 23.040)."""

from collections.abc import Callable, Iterator
from typing import Literal

from bots.wire.cutting import units

Encoding = Literal["GSM-7", "UCS-2"]

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
"""Characters that are sent as ESC and a second septet."""

ALONE = {"GSM-7": 160, "UCS-2": 70}
JOINED = {"GSM-7": 153, "UCS-2": 67}
"""Room in each segment of a longer message: less than ALONE, because a header joins the segments."""


def segments(text: str) -> tuple[Encoding, int]:
    """Return the encoding that the text needs, and the number of segments it takes; an empty text takes one."""
    return encoding_of(text), max(1, len(parts(text)))


def encoding_of(text: str) -> Encoding:
    """Return the smaller encoding that has all characters of the text."""
    return "GSM-7" if BASIC.union(EXTENSION).issuperset(text) else "UCS-2"


def parts(text: str) -> list[str]:
    """Return the text of each segment. A character is never cut, be it an ESC pair or a surrogate pair."""
    encoding = encoding_of(text)
    cost = septets if encoding == "GSM-7" else units
    if sum(map(cost, text)) <= ALONE[encoding]:
        return [text] if text else []
    return list(fill(text, cost, JOINED[encoding]))


def fill(text: str, cost: Callable[[str], int], room: int) -> Iterator[str]:
    """Yield pieces of a text that is not empty, each as full as `room` allows, cut at any character."""
    start = length = 0
    for index, character in enumerate(text):
        length += cost(character)
        if length > room:
            yield text[start:index]
            start, length = index, cost(character)
    yield text[start:]


def septets(character: str) -> int:
    """Return how many septets the character takes in GSM-7."""
    return 2 if character in EXTENSION else 1

"""How a text is cut into short messages on the air (3GPP TS 23.038 and 23.040), which is what a carrier charges for."""

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
"""A message of several segments gives up room in each for the header that joins them."""


def segments(text: str) -> tuple[Encoding, int]:
    """The encoding that the text needs, and the number of segments it takes; an empty text takes one."""
    return encoding_of(text), max(1, len(parts(text)))


def encoding_of(text: str) -> Encoding:
    return "GSM-7" if BASIC.union(EXTENSION).issuperset(text) else "UCS-2"


def parts(text: str) -> list[str]:
    """The text of each segment. A character is never cut, be it an ESC pair or a surrogate pair."""
    encoding = encoding_of(text)
    cost = septets if encoding == "GSM-7" else units
    if sum(map(cost, text)) <= ALONE[encoding]:
        return [text] if text else []
    return list(filled(text, cost, JOINED[encoding]))


def filled(text: str, cost: Callable[[str], int], room: int) -> Iterator[str]:
    """Cut a text that is not empty into pieces that are as full as `room` allows, at any character."""
    start = used = 0
    for index, character in enumerate(text):
        used += cost(character)
        if used > room:
            yield text[start:index]
            start, used = index, cost(character)
    yield text[start:]


def septets(character: str) -> int:
    return 2 if character in EXTENSION else 1

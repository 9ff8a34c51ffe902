"""How people are looked for: by the beginning of a name, and by the end of a number. Pure.

Both are stored so that they are looked for by the beginning of a text, which is what an index finds.
"""

import unicodedata
from collections.abc import Mapping

LONGEST = 64
"""Characters of a name by which it is found."""

TOLD_APART = 10
"""Digits at the end of a number that count: before them, people write +7, 8 or nothing."""


def name_key(name: str) -> str:
    """Return a name as it is compared: without the case of letters, and with single blanks."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace("ё", "е")
    return " ".join(folded.split())[:LONGEST]


def phone_tail(number: str) -> str:
    """Return the digits of a number, or of a part of one, from its end; the last ten of them."""
    return "".join(filter(str.isdecimal, number))[: -TOLD_APART - 1 : -1]


def is_number(text: str, fewest: int) -> bool:
    """Return whether somebody who has written this means a number or a part of one, of at least so many digits."""
    return sum(map(str.isdecimal, text)) >= fewest and not any(map(str.isalpha, text))


def keys(name: str, number: str | None) -> Mapping[str, str]:
    """Return the fields by which a person of this name and number is found; those that are empty are left out."""
    found = {"name_key": name_key(name), "phone_tail": phone_tail(number or "")}
    return {field: key for field, key in found.items() if key}

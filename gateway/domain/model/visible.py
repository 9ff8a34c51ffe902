"""Tells whether a text shows anything at all: providers refuse messages and buttons that do not. Pure."""

from unicodedata import category

BLANK = {"Zs", "Zl", "Zp", "Cc", "Cf"}
"""Unicode's categories of spaces, controls and invisible formats."""

FILLERS = {"\u034f", "\u115f", "\u1160", "\u2800", "\u3164", "\uffa0", *map(chr, range(0xFE00, 0xFE10))}
"""Characters of other categories that show nothing by themselves."""


def is_visible(text: str) -> bool:
    """Tell whether a person would see anything of this text."""
    return any(character not in FILLERS and category(character) not in BLANK for character in text)

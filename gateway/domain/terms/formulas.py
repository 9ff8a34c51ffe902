"""Marks texts that a spreadsheet would take for formulas, and takes the marks off again."""

import re

NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?\Z")
BEGINNING = r"""(\A|[;\t|\r\n])("*+)"""
"""Where a cell begins: also inside a text, if the spreadsheet splits rows by a separator of its own."""

FORMULA = re.compile(BEGINNING + r"(?='*+[=+\-@\t\r])")
"""Source: https://owasp.org/www-community/attacks/CSV_Injection"""

MARKED = re.compile(BEGINNING + r"'(?='*+[=+\-@\t\r])")


def mark(text: str) -> str:
    """Put a quote before whatever a spreadsheet would take for a formula; numbers stay as they are.

    A quote that stands there already gets another one, so that `unmark` returns the very text.
    """
    return text if NUMBER.match(text) else FORMULA.sub(r"\1\2'", text)


def unmark(text: str) -> str:
    """Return the text that was marked."""
    return MARKED.sub(r"\1\2", text)

"""Reads README's tables, which tests compare with the code."""

from collections.abc import Iterator
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def rows(before: str) -> Iterator[list[str]]:
    """Yield the rows of the first table after the text `before`, each as a list of its cells."""
    _, separator, after = README.read_text("utf-8").partition(before)
    assert separator, before
    lines = iter(after.splitlines())
    for line in lines:
        if line.startswith("|"):
            break
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]

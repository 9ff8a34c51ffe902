"""README's tables, which the tests hold the code to."""

from collections.abc import Iterator
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def rows(before: str) -> Iterator[list[str]]:
    """The rows of the first table after this text, a cell each."""
    _, found, after = README.read_text("utf-8").partition(before)
    assert found, before
    lines = iter(after.splitlines())
    for line in lines:
        if line.startswith("|"):
            break
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]

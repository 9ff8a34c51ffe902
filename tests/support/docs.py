"""Reads the READMEs' tables and examples, and the tables beside tests, which tests compare with the code."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRONT = ROOT / "README.md"
API, CHANNELS, RUNNING, STORAGE = (ROOT / folder / "README.md" for folder in ("webhooks", "bots", "gateway", "storage"))


def rows(document: Path, before: str) -> Iterator[list[str]]:
    """Yield the rows of the first table after the text `before`, each as a list of its cells."""
    _, separator, after = document.read_text("utf-8").partition(before)
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


def blocks(document: Path, language: str) -> list[str]:
    """Return the code blocks of a document in this language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def compare(document: Path, text: str, request: pytest.FixtureRequest) -> None:
    """Compare a document beside the tests with what the code says now; `--renew-tables` writes it anew before."""
    if request.config.getoption("--renew-tables"):
        document.write_text(text, "utf-8")
    assert text == document.read_text("utf-8")


def table(headings: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    columns = list(headings)
    return "".join(f"| {' | '.join(line)} |\n" for line in (columns, ["---"] * len(columns), *lines))

"""The READMEs: their tables and examples, which the tests hold the code to."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRONT = ROOT / "README.md"
API, CHANNELS, RUNNING, STORAGE = (ROOT / folder / "README.md" for folder in ("webhooks", "bots", "gateway", "storage"))


def rows(document: Path, before: str) -> Iterator[list[str]]:
    """Yield the rows of the first table after this text, each as a list of its cells."""
    _, found, after = document.read_text("utf-8").partition(before)
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


def blocks(document: Path, language: str) -> list[str]:
    """Return the code blocks of a document in this language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text("utf-8"), re.DOTALL | re.MULTILINE)

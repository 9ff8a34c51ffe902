"""The documents say what is there: their links, tables and examples are held to the code."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.api.jobs import JobRequest
from gateway.domain.api.request import BulkRequest, MessageInput, convert, read
from storage.engine.database import KEPT, TRACED, indexes_of
from tests.support.docs import API, FRONT, ROOT, RUNNING, STORAGE, blocks, rows
from webhooks.http.guide import anchor

DOCUMENTS = [
    file
    for file in sorted(ROOT.rglob("*.md"))
    if not any(
        part.startswith(".") or part in {"build", "dist", "node_modules"} for part in file.relative_to(ROOT).parts
    )
]
WIDEST = 160
FRONT_PAGE = 150
"""Lines of the front page, so that it is read."""

PROJECT: Any = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def prose(document: Path) -> str:
    """Return a document without its code blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> list[str]:
    return [anchor(heading) for heading in re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_to_what_is_there(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        path, _, heading = target.partition("#")
        if re.match(r"https?:", target):
            continue
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not heading or heading in anchors(file), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_that_are_named_are_there(document: Path) -> None:
    named = re.findall(r"`((?:bots|gateway|storage|tests|webhooks)/[\w./]+)`", document.read_text("utf-8"))
    roots = (ROOT, ROOT / "tests")
    assert [path for path in named if not any((root / path).exists() for root in roots)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_lines_fit_a_screen_and_headings_have_one_name(document: Path) -> None:
    """Rows of tables cannot be broken."""
    lines = document.read_text("utf-8").splitlines()
    assert [line for line in lines if len(line) > WIDEST and not line.startswith("|")] == []
    if document.name != "CHANGELOG.md":
        assert len(set(anchors(document))) == len(anchors(document))


def test_the_front_page_is_short_and_has_the_two_lines_to_paste() -> None:
    text = FRONT.read_text("utf-8")
    assert len(text.splitlines()) <= FRONT_PAGE
    venv = "python3 -m venv .venv && .venv/bin/pip install -q -e"
    assert f"\n{venv} '.[embedded]' && .venv/bin/gateway demo\n" in text
    assert f"\n{venv} '.[embedded,test]' && .venv/bin/pytest\n" in text


def test_every_setting_that_is_read_is_in_the_table() -> None:
    source = "".join(file.read_text("utf-8") for file in (ROOT / "gateway").rglob("*.py"))
    known = set(re.findall(r'"((?:GATEWAY_|MONGODB_)[A-Z_]+)"', source)) - {"GATEWAY_URL", "GATEWAY_KEY"}
    assert {row[0].strip("`") for row in rows(RUNNING, "## Settings")} == known


def test_every_collection_with_an_index_is_in_the_table() -> None:
    assert {row[0] for row in rows(STORAGE, "## Collections")} >= indexes_of(KEPT, TRACED).keys()


def test_architecture_names_the_floors_and_folders_that_there_are() -> None:
    folders = [re.findall(r"`([\w/.<>]+)`", row[1]) for row in rows(ROOT / "ARCHITECTURE.md", "## Floors")]
    named = [name.removesuffix("/").removesuffix(".py") for names in folders for name in names]
    (contract,) = (each for each in PROJECT["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    floors = [module.replace(".", "/") for layer in contract["layers"] for module in layer.split(" | ")]
    assert [name for name in named if name in floors] == floors
    there = {
        package(file.parent) for root in ("gateway", "webhooks", "storage") for file in (ROOT / root).rglob("*.py")
    }
    assert there - set(named) - {"gateway"} == set()


def package(folder: Path) -> str:
    """Return the room that a folder belongs to: the first two levels, and three in gateway."""
    parts = folder.relative_to(ROOT).parts
    return "/".join(parts[:3] if parts[0] == "gateway" else parts[:2])


def test_the_guides_are_in_the_installed_package() -> None:
    data = PROJECT["tool"]["setuptools"]["package-data"]
    assert all("README.md" in data[name] for name in ("webhooks", "bots", "gateway", "storage"))


@pytest.mark.parametrize("document", [FRONT, API], ids=lambda file: str(file.relative_to(ROOT)))
def test_the_bodies_of_the_shell_examples_are_requests(document: Path) -> None:
    """Each is read as its route reads it; an unknown field would be refused."""
    sent = [
        (path, json.loads(body))
        for block in blocks(document, "sh")
        for path, body in re.findall(r"/api/v1/(\w+)\b[^\n]*(?:\\\n[^\n]*)*? -d '(.*?)'", block, re.DOTALL)
    ]
    assert sent
    for path, body in sent:
        if path == "messages":
            for message in read(BulkRequest, json.dumps(body).encode()).messages:
                convert(MessageInput, message)
        elif path == "jobs":
            convert(JobRequest, body)
        else:
            assert path == "templates"
            assert convert(MessageInput, {"destinations": [{}], "channels": body["channels"]}).channels

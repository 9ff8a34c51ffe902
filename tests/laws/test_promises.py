"""Tests that the table of promises names existing tests."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize(("file", "name"), NAMED.findall((HERE / "promises.md").read_text("utf-8")))
def test_a_promise_is_held_by_something(file: str, name: str) -> None:
    assert f"def {name}(" in (TESTS / file).read_text("utf-8")


def test_no_promise_is_without_a_test() -> None:
    table = (HERE / "promises.md").read_text("utf-8").partition("## Not there yet")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "held by" not in line]
    assert len(rows) > 30
    assert all(NAMED.search(row) for row in rows)

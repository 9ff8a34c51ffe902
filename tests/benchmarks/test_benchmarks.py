"""Tests that the benchmarks run: a small version of each part checks no figure but accounts for each message."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.benchmarks.__main__ import main, publish
from tests.benchmarks.load.sending import Lost, account_for
from tests.benchmarks.report.report import plot, table
from tests.benchmarks.report.rows import Row
from tests.benchmarks.setup.meta import Entry

SMALL: dict[str, dict[str, Any]] = {
    "outbound": {"count": 20},
    "answers": {"seconds": 0.2},
    "growth": {"sizes": [20, 40], "count": 20},
    "restart": {"stored": 20, "count": 20},
    "pages": {"seconds": 1, "sent": 40},
    "memory": {"minutes": 0.01},
}
ROWS = [Row("outbound", "gateway", 456.7, "messages/s", 0.335), Row("memory", "slope", 0.04, "MB/h", goal="0")]


@pytest.mark.parametrize("part", SMALL)
async def test_each_part_runs(part: str) -> None:
    rows = await importlib.import_module(f"tests.benchmarks.parts.{part}").measure(rounds=1, quick=True, **SMALL[part])
    assert {row.part for row in rows} == {part}
    assert all(row.value > 0 for row in rows if row.unit != "MB/h" and "CPU" not in row.name)


@pytest.mark.parametrize("keys", [["a/0/0"], ["a/0/0", "b/0/0", "b/1/0"], ["a/0/0", "b/0/0", "c/0/0"]])
def test_what_is_lost_or_comes_twice_ends_the_run(keys: list[str]) -> None:
    stories = [{"_id": "a"}, {"_id": "b"}]
    account_for(["a", "b"], stories, [Entry("a/0/0", "", 0), Entry("b/0/0", "", 0)])
    with pytest.raises(Lost):
        account_for(["a", "b"], stories, [Entry(key, "", 0) for key in keys])


def test_the_table_is_markdown() -> None:
    lines = table(ROWS, "2 cores", "medians of 3").splitlines()
    assert lines[0] == "2 cores; medians of 3"
    assert lines[-2:] == [
        "| outbound | gateway | 457 messages/s | 0.34 |  |",
        "| memory | slope | 0.04 MB/h |  | 0 |",
    ]


def test_without_matplotlib_there_is_the_table_and_a_word_about_the_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    publish(ROWS, "2 cores", "medians of 3", tmp_path)
    output = capsys.readouterr()
    assert output.out == (tmp_path / "table.md").read_text()
    assert ".[bench]" in output.err
    assert not (tmp_path / "plot.png").exists()


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot(ROWS, "2 cores", tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_every_option_says_what_it_does() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(option.help for option in main.params if hasattr(option, "help"))

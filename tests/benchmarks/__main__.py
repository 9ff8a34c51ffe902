"""`python -m tests.benchmarks`: measures, and prints a table in Markdown. It asserts no time."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import uvloop

from tests.benchmarks.load.sending import Lost
from tests.benchmarks.report.machine import described
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.report import plot, table
from tests.benchmarks.report.rows import Row

PARTS = ("ack", "outbound", "answers", "growth", "restart", "memory")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Small figures, in less than two minutes: does it run at all?")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="This part; may be given more than once.")
@click.option("--rounds", type=click.IntRange(1), help="The figures are medians of so many.  [default: 3; 1 if quick]")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Length of the memory part.  [default: 3]")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="benchmarks",
    show_default=True,
    help="Folder for table.md and plot.png.",
)
def main(*, quick: bool, only: tuple[str, ...], rounds: int | None, minutes: float | None, out: Path) -> None:
    """Measure this gateway on this machine: each part with real processes, over HTTP on 127.0.0.1, on a real database.

    The database is the embedded one, or that of MONGODB_URI, where each run has a database of its own that is dropped
    afterwards. Ends with 1 if a message was lost or came twice.
    """
    rounds, lost = rounds or (1 if quick else 3), list[str]()
    rows: list[Row] = []
    for part in only or PARTS:
        click.echo(f"{part}:", err=True)
        more = {"minutes": minutes} if part == "memory" else {}
        try:
            rows += _measured(part, rounds=rounds, quick=quick, **more)
        except Lost as error:
            lost.append(f"{part}: {error}")
    how = f"medians of {rounds}{', quick' if quick else ''}"
    _publish(rows, uvloop.run(described()), how, out)
    for words in lost:
        click.echo(f"LOST: {words}", err=True)
    sys.exit(1 if lost else 0)


def _measured(part: str, **how: Any) -> Sequence[Row]:
    """Only what is asked for is imported: a part may need libraries that another does not."""
    measure = importlib.import_module(f"tests.benchmarks.{part}").measure
    rows: Sequence[Row] = uvloop.run(measure(**how))
    return rows


def _publish(rows: Sequence[Row], machine: str, how: str, out: Path) -> None:
    text = table(rows, machine, how)
    click.echo(text)
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(f"{text}\n")
    try:
        plot(rows, f"{machine}; {how}", out / "plot.png")
    except ImportError:
        tell("no plot: pip install -e '.[bench]' brings matplotlib")


if __name__ == "__main__":
    main()

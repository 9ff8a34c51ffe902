"""The command `python -m tests.benchmarks`, which measures and prints a Markdown table. It asserts no time."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import uvloop

from tests.benchmarks.load.sending import Lost
from tests.benchmarks.report.machine import describe_machine
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.report import plot, table
from tests.benchmarks.report.rows import Row

PARTS = ("ack", "outbound", "answers", "growth", "restart", "pages", "memory")


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
    rounds, losses = rounds or (1 if quick else 3), list[str]()
    rows: list[Row] = []
    for part in only or PARTS:
        click.echo(f"{part}:", err=True)
        options = {"minutes": minutes} if part == "memory" else {}
        try:
            rows += _measure(part, rounds=rounds, quick=quick, **options)
        except Lost as error:
            losses.append(f"{part}: {error}")
    conditions = f"medians of {rounds}{', quick' if quick else ''}"
    publish(rows, uvloop.run(describe_machine()), conditions, out)
    for loss in losses:
        click.echo(f"LOST: {loss}", err=True)
    sys.exit(1 if losses else 0)


def _measure(part: str, **options: Any) -> Sequence[Row]:
    """Import and run one part, since each part may need libraries that others do not. Returns its rows."""
    measure = importlib.import_module(f"tests.benchmarks.parts.{part}").measure
    rows: Sequence[Row] = uvloop.run(measure(**options))
    return rows


def publish(rows: Sequence[Row], machine: str, conditions: str, out: Path) -> None:
    text = table(rows, machine, conditions)
    click.echo(text)
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(f"{text}\n")
    try:
        plot(rows, f"{machine}; {conditions}", out / "plot.png")
    except ImportError:
        tell("no plot: pip install -e '.[bench]' brings matplotlib")


if __name__ == "__main__":
    main()

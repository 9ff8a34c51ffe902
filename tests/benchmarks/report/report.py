"""Renders the table and the plot of the figures."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tests.benchmarks.report.rows import Row


def table(rows: Sequence[Row], machine: str, conditions: str) -> str:
    """Return the rows in Markdown, under the machine and the conditions of the measurement."""
    lines = ["| part | what | figure | ratio | goal |", "|---|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"| {row.part} | {row.name} | {figure(row.value)} {row.unit} | {ratio} | {row.goal} |")
    return "\n".join([f"{machine}; {conditions}", "", *lines])


def figure(value: float) -> str:
    """Return the value with three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plot(rows: Sequence[Row], machine: str, file: Path) -> None:
    """Save bars, grouped by part and unit, as a PNG. Raises ImportError without matplotlib (extra `bench`)."""
    from matplotlib.figure import Figure

    groups = [(key, list(group_rows)) for key, group_rows in groupby(rows, lambda row: (row.part, row.unit))]
    heights = [len(group_rows) + 1.5 for _, group_rows in groups]
    drawing = Figure(figsize=(11, 0.32 * sum(heights) + 0.5), layout="constrained")
    drawing.suptitle(machine, fontsize=9)
    axes = drawing.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
    for ((part, unit), group_rows), axis in zip(groups, axes, strict=True):
        bars = axis.barh([row.name for row in group_rows], [row.value for row in group_rows], color="#4c78a8")
        axis.bar_label(bars, [figure(row.value) for row in group_rows], padding=3, fontsize=8)
        axis.set_title(f"{part}, {unit}", loc="left", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.invert_yaxis()
        axis.margins(x=0.12)
    drawing.savefig(file, dpi=120)

"""The table and the plot of what was found."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tests.benchmarks.report.rows import Row


def table(rows: Sequence[Row], machine: str, how: str) -> str:
    """The rows in Markdown, under where and how they were measured."""
    lines = ["| part | what | figure | ratio | goal |", "|---|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"| {row.part} | {row.name} | {figure(row.value)} {row.unit} | {ratio} | {row.goal} |")
    return "\n".join([f"{machine}; {how}", "", *lines])


def figure(value: float) -> str:
    """To three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plot(rows: Sequence[Row], machine: str, file: Path) -> None:
    """Bars of one unit and part side by side, as a PNG. Raises ImportError without matplotlib (extra `bench`)."""
    from matplotlib.figure import Figure

    groups = [(key, list(some)) for key, some in groupby(rows, lambda row: (row.part, row.unit))]
    heights = [len(some) + 1.5 for _, some in groups]
    drawing = Figure(figsize=(11, 0.32 * sum(heights) + 0.5), layout="constrained")
    drawing.suptitle(machine, fontsize=9)
    axes = drawing.subplots(len(groups), 1, squeeze=False, height_ratios=heights)[:, 0]
    for ((part, unit), some), axis in zip(groups, axes, strict=True):
        bars = axis.barh([row.name for row in some], [row.value for row in some], color="#4c78a8")
        axis.bar_label(bars, [figure(row.value) for row in some], padding=3, fontsize=8)
        axis.set_title(f"{part}, {unit}", loc="left", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.invert_yaxis()
        axis.margins(x=0.12)
    drawing.savefig(file, dpi=120)

"""Count three walks through the code: calls, functions, files, and hops from file to file.

`python -m tests.benchmarks.walks [--pairs] [--functions]`. The figures are the same in every run; they tell how far a
reader has to jump who follows a webhook to the bot's answer, a message or a job's row to its delivery.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from storage.engine.embedded import embedded
from tests.benchmarks.walks.counting import Function, Recorder, Walk
from tests.benchmarks.walks.playing import WALKS, Play, Stage

ROOT = Path(__file__).parents[3]

FIGURES = ("calls", "functions", "files", "hops")
MOST = 40


async def record(names: Sequence[str], times: int) -> dict[str, list[Walk]]:
    """Return each walk so many times, after one that is not counted."""
    with TemporaryDirectory() as folder:
        async with embedded(Path(folder)) as uri:
            stage = await Stage(uri, partial(Recorder, ROOT)).idled()
            return {name: await _several(stage, WALKS[name], times) for name in names}


async def _several(stage: Stage, play: Play, times: int) -> list[Walk]:
    return [await stage.walk(play) for _ in range(times + 1)][1:]


def table(walks: Mapping[str, Sequence[Walk]]) -> str:
    """Return a table of the median of each figure, with its range where the runs differ."""
    lines = [f"| walk | {' | '.join(FIGURES)} |", "|---|---|---|---|---|"]
    lines += [f"| {name} | {' | '.join(_figure(runs, figure) for figure in FIGURES)} |" for name, runs in walks.items()]
    return "\n".join(lines)


def _figure(walks: Sequence[Walk], name: str) -> str:
    values = [getattr(walk, name) for walk in walks]
    spread = f" ({min(values):,}-{max(values):,})" if min(values) < max(values) else ""
    return f"{median(values):,.0f}{spread}"


def typical(walks: Sequence[Walk]) -> Walk:
    """Return the walk that is in the middle by its hops."""
    return sorted(walks, key=lambda walk: walk.hops)[len(walks) // 2]


def pairs(walk: Walk) -> str:
    return _most_common(
        Counter({f"{caller} -> {callee}": times for (caller, callee), times in walk.hops_by_file.items()})
    )


def functions(walk: Walk) -> str:
    return _most_common(
        Counter(
            {
                f"{_label(caller)} -> {_label(callee)}": times
                for (caller, callee), times in walk.hops_by_function.items()
            }
        )
    )


def _label(function: Function) -> str:
    return f"{function.file}:{function.name}".rstrip(":")


def _most_common(hops: Counter[str]) -> str:
    return "\n".join(f"{times:5} {words}" for words, times in hops.most_common(MOST))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("walks", nargs="*", default=list(WALKS), help=", ".join(WALKS))
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--pairs", action="store_true", help=f"the {MOST} most frequent hops from file to file")
    parser.add_argument("--functions", action="store_true", help=f"the {MOST} most frequent hops between functions")
    arguments = parser.parse_args()
    walks = asyncio.run(record(arguments.walks, arguments.times))
    sys.stdout.write(f"{table(walks)}\n")
    for name, runs in walks.items():
        for listing in [pairs] * arguments.pairs + [functions] * arguments.functions:
            sys.stdout.write(f"\n{name}, {listing.__name__}:\n{listing(typical(runs))}\n")


if __name__ == "__main__":
    main()

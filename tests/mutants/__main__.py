"""Measure how many small mistakes the tests notice.

`python -m tests.mutants storage webhooks/inbound --count 60 --seed 1 --map .coverage`, where the map is that of
`pytest --cov --cov-context=test` on this very tree. Each mutant goes into a clone of HEAD, and the tests that run its
line are run until one fails. The tests that killed are then run on the tree without mutants: those that fail there too
prove nothing.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.mutants.choosing import Mutant, choose
from tests.mutants.nearest import Map
from tests.mutants.playing import Verdict, play, run

ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rooms", nargs="+", help="folders or files, such as storage or gateway/people")
    parser.add_argument("--count", type=int, default=60, help="mutants of each room")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--map", type=Path, default=ROOT / ".coverage")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at the same time")
    arguments = parser.parse_args()
    tests = Map(ROOT, arguments.map)
    for room in arguments.rooms:
        verdicts = _play_all(choose(ROOT, room, arguments.count, arguments.seed), tests, arguments.jobs)
        false = _false_killers({verdict.killer for verdict in verdicts if "::" in verdict.killer})
        killed = sum(bool(verdict.killer) and verdict.killer not in false for verdict in verdicts)
        sys.stdout.writelines(f"proves nothing, since it fails without mutants: {killer}\n" for killer in sorted(false))
        sys.stdout.write(f"{room}: {killed} of {len(verdicts)} killed, {killed / len(verdicts):.0%}\n\n")


def _play_all(mutants: Sequence[Mutant], tests: Map, jobs: int) -> Sequence[Verdict]:
    """Return what becomes of each mutant; so many are played at the same time, each in a clone of its own."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        trees = SimpleQueue[Path]()
        for number in range(jobs):
            trees.put(_clone(Path(folder) / str(number)))

        def play_one(mutant: Mutant) -> Verdict:
            tree = trees.get()
            try:
                verdict = play(tree, mutant, tests)
            finally:
                trees.put(tree)
            sys.stdout.write(_line(verdict))
            sys.stdout.flush()
            return verdict

        return list(pool.map(play_one, mutants))


def _false_killers(killers: set[str]) -> set[str]:
    """Return those of these tests that fail on the tree without mutants."""
    with TemporaryDirectory() as folder:
        tree, false = _clone(Path(folder)), set[str]()
        while (killers - false) and (killer := run(tree, sorted(killers - false))) in killers:
            false.add(killer)
        return false


def _clone(folder: Path) -> Path:
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    return folder


def _line(verdict: Verdict) -> str:
    mutant, end = verdict.mutant, f"killed by {verdict.killer}" if verdict.killer else f"SURVIVED {verdict.ran} tests"
    return f"{mutant.path}:{mutant.line} {mutant.operator.removeprefix('core/')}: {end}\n    {verdict.change}\n"


if __name__ == "__main__":
    main()

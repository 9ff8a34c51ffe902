"""Measure how many small mistakes the tests notice.

`python -m tests.mutants storage webhooks/inbound --count 60 --seed 1 --map .coverage`, where the map is that of
`pytest --cov --cov-context=test` on this very tree. Each mutant goes into a clone of HEAD, and the tests that run its
line are run until one fails. The tests that killed are then run on the tree without mutants: those that fail there too
prove nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.mutants.choosing import Mutant, choose
from tests.mutants.nearest import Map
from tests.mutants.playing import Player, Verdict, opened_player

ROOT = Path(__file__).parents[2]

WORKS = ("tests/gateway/people/test_contacts.py",)
"""Tests that pass where nothing is broken: otherwise it is the tests that do not start, and not the mutants."""


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
        verdicts, false = _play_all(choose(ROOT, room, arguments.count, arguments.seed), tests, arguments.jobs)
        killed = sum(bool(verdict.killer) and verdict.killer not in false for verdict in verdicts)
        sys.stdout.writelines(f"proves nothing, since it fails without mutants: {killer}\n" for killer in sorted(false))
        sys.stdout.write(f"{room}: {killed} of {len(verdicts)} killed, {killed / len(verdicts):.0%}\n\n")


def _play_all(room: Sequence[Mutant], tests: Map, jobs: int) -> tuple[Sequence[Verdict], set[str]]:
    """Return what becomes of each mutant, and which of the tests that killed fail without mutants, too.

    So many mutants are played at the same time, each in a clone of its own.
    """
    with TemporaryDirectory() as folder, ExitStack() as stack, ThreadPoolExecutor(jobs) as pool:
        players = SimpleQueue[Player]()
        for number in range(jobs):
            (place := Path(folder) / str(number)).mkdir()
            players.put(stack.enter_context(opened_player(ROOT, place)))

        def play_one(mutant: Mutant) -> Verdict:
            player = players.get()
            try:
                verdict = player.play(mutant, tests)
            finally:
                players.put(player)
            sys.stdout.write(_line(verdict))
            sys.stdout.flush()
            return verdict

        verdicts = list(pool.map(play_one, room))
        return verdicts, _false_killers(
            players.get(), {verdict.killer for verdict in verdicts if verdict.killer} - {"hangs"}
        )


def _false_killers(player: Player, killers: set[str]) -> set[str]:
    """Return those of these tests that fail on the tree without mutants."""
    false = {"does not start"} if player.run(WORKS) else set[str]()
    killers = {killer for killer in killers if "::" in killer}
    while killers - false and (killer := player.run(sorted(killers - false))) in killers:
        false.add(killer)
    return false


def _line(verdict: Verdict) -> str:
    mutant, end = verdict.mutant, f"killed by {verdict.killer}" if verdict.killer else f"SURVIVED {verdict.ran} tests"
    return f"{mutant.path}:{mutant.line} {mutant.operator.removeprefix('core/')}: {end}\n    {verdict.change}\n"


if __name__ == "__main__":
    main()

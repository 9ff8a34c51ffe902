"""Plays a mutant: puts it into a copy of the tree and runs tests until one fails."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from storage.engine.embedded import OPTIONS, SERVERS, free_port, server_command
from tests.mutants.choosing import Mutant
from tests.mutants.nearest import Map

NURSERY = Path(__file__).with_name("nursery.py")

BATCHES = (4, 24, 120)
"""How many of the nearest tests run together, one batch after another, until one of them fails."""

PATIENCE = 240
"""Seconds for one batch. A mutant that hangs is noticed, too."""

SURVIVED, NOT_FOUND = {0, 5}, 4
"""pytest's exit codes: nothing failed, or nothing ran; the command line names no test."""


class Verdict(NamedTuple):
    """What became of a mutant: the `killer` is the test that failed, "hangs", "does not start", or "" if it survived.

    ran: how many tests it went through. change: its line, before and after.
    """

    mutant: Mutant
    killer: str
    ran: int
    change: str


class Player:
    """A copy of the tree, a database server, and a process that runs tests, for one mutant at a time."""

    def __init__(self, tree: Path, nursery: "subprocess.Popen[str]") -> None:
        self.tree, self._nursery = tree, nursery

    def play(self, mutant: Mutant, tests: Map) -> Verdict:
        """Return what becomes of a mutant in this copy of the tree, which is as it was afterwards."""
        file = self.tree / mutant.path
        original = file.read_text()
        nearest, ran = tests.nearest(mutant.path, mutant.line), 0
        try:
            file.write_text(mutated := mutant.source(self.tree))
            for size in BATCHES:
                batch = nearest[ran : ran + size]
                if batch and (killer := self.run(batch)):
                    return Verdict(mutant, killer, ran + len(batch), _change(original, mutated))
                ran += len(batch)
            return Verdict(mutant, "", ran, _change(original, mutated))
        finally:
            file.write_text(original)

    def run(self, tests: Sequence[str]) -> str:
        """Return the first of these tests that fails, or "". Raises LookupError if there are no such tests."""
        order = {"tree": str(self.tree), "tests": list(tests), "patience": PATIENCE}
        print(json.dumps(order), file=_pipe(self._nursery.stdin), flush=True)
        done = json.loads(_pipe(self._nursery.stdout).readline())
        if done["code"] in SURVIVED:
            return ""
        if done["code"] is None:
            return "hangs"
        if done["code"] == NOT_FOUND and "not found: " in done["output"] and "Traceback" not in done["output"]:
            raise LookupError(f"the map is of another tree: {done['output'][-500:]}")
        failed = re.search(r"^(?:FAILED|ERROR) (tests/.+?)(?: - |$)", done["output"], re.MULTILINE)
        return failed[1] if failed else "does not start"


@contextmanager
def opened_player(root: Path, folder: Path) -> Iterator[Player]:
    """Copy the tree into `folder`, start a database and a nursery of tests, and end both in the end."""
    tree, port = folder / "tree", free_port()
    subprocess.run(["git", "clone", "-q", root, tree], check=True)
    # By their contents, not by their times: a mutant is often as long as what it replaces, and made in the same second.
    compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", str(tree)]
    subprocess.run(compiling, check=True)
    (folder / "database").mkdir()
    uri = f"mongodb://127.0.0.1:{port}/?{OPTIONS}"
    environment = {**os.environ, "MONGODB_URI": uri}
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(server_command(SERVERS, folder / "database", port), stdout=log, stderr=log) as database,
        subprocess.Popen(
            [sys.executable, NURSERY],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as nursery,
    ):
        try:
            yield Player(tree, nursery)
        finally:
            _pipe(nursery.stdin).close()
            database.kill()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe
    return pipe


def _change(original: str, mutated: str) -> str:
    """Return the line before and after, on one line."""
    pairs = zip(original.splitlines(), mutated.splitlines(), strict=False)
    return next((f"{old.strip()}  ->  {new.strip()}" for old, new in pairs if old != new), "a line less")

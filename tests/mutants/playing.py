"""Plays a mutant: puts it into a copy of the tree and runs tests until one fails."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.mutants.choosing import Mutant
from tests.mutants.nearest import Map

BATCHES = (8, 40, 400)
"""How many of the nearest tests run together, one batch after another, until one of them fails."""

PATIENCE = 600
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


def play(tree: Path, mutant: Mutant, tests: Map) -> Verdict:
    """Return what becomes of a mutant in this copy of the tree, which is as it was afterwards."""
    file = tree / mutant.path
    original = file.read_text()
    nearest, ran = tests.nearest(mutant.path, mutant.line), 0
    try:
        file.write_text(mutated := mutant.source(tree))
        for size in BATCHES:
            batch = nearest[ran : ran + size]
            if batch and (killer := run(tree, batch)):
                return Verdict(mutant, killer, ran + len(batch), _change(original, mutated))
            ran += len(batch)
        return Verdict(mutant, "", ran, _change(original, mutated))
    finally:
        file.write_text(original)


def run(tree: Path, tests: Sequence[str]) -> str:
    """Return the first of these tests that fails, or "". Raises LookupError if there are no such tests."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "--no-header", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode in SURVIVED:
        return ""
    if done.returncode == NOT_FOUND and "not found: " in done.stderr and "Traceback" not in done.stderr + done.stdout:
        raise LookupError(f"the map is of another tree: {done.stderr[-500:]}")
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", done.stdout, re.MULTILINE)
    return failed[1] if failed else "does not start"


def _change(original: str, mutated: str) -> str:
    """Return the line before and after, on one line."""
    pairs = zip(original.splitlines(), mutated.splitlines(), strict=False)
    return next((f"{old.strip()}  ->  {new.strip()}" for old, new in pairs if old != new), "a line less")

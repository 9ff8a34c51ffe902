"""Finds the tests that run a line of code, the most specific first: by coverage in which each test is a context."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from coverage import CoverageData

Contexts = Mapping[int, Iterable[str]]
"""The contexts in which each line of a file was executed."""


FILES = 6
"""How many test files a line has that only runs at import."""

LONG = "tests/webhooks/http/"
"""Where tests ask thousands of times. They run every line of the API, so they come last."""


class Map:
    """What each test of a measured run has executed. `data`: the file of `pytest --cov --cov-context=test`."""

    def __init__(self, root: Path, data: Path) -> None:
        measured = CoverageData(str(data))
        measured.read()
        paths = {str(Path(name).relative_to(root)): name for name in measured.measured_files()}
        self._files: dict[str, Contexts] = {path: measured.contexts_by_lineno(name) for path, name in paths.items()}
        lines = (contexts for file in self._files.values() for contexts in file.values())
        self._breadth = Counter(test for contexts in lines for test in _tests(contexts))

    def nearest(self, path: str, line: int) -> Sequence[str]:
        """Return the ids of the tests that run this line: those beside it in the tree first, then those that run least.

        A line that only runs at import (a constant, a decorator) has the test files that are nearest to its own: a test
        that reads a table runs none of its lines.
        """
        contexts = self._files.get(path, {})
        if tests := _tests(contexts.get(line, ())):
            return self._sorted(path, tests)
        of_file = {test for names in contexts.values() for test in _tests(names)}
        return list(dict.fromkeys(test.partition("::")[0] for test in self._sorted(path, of_file)))[:FILES]

    def _sorted(self, path: str, tests: set[str]) -> Sequence[str]:
        return sorted(tests, key=lambda test: (LONG in test, -_nearness(path, test), self._breadth[test], test))


def _nearness(path: str, test: str) -> int:
    """Return how many folders a test has in common with a file, and one more if it is named after it."""
    *folders, name = Path(path).parts
    *places, file = Path(test.partition("::")[0]).parts[1:]
    common = next((at for at, pair in enumerate(zip(folders, places, strict=False)) if pair[0] != pair[1]), None)
    return (min(len(folders), len(places)) if common is None else common) + (file == f"test_{name}")


def _tests(contexts: Iterable[str]) -> set[str]:
    """Return the tests' ids. A context is `id|setup`, `id|run` or `id|teardown`; at import it is empty."""
    return {context.rpartition("|")[0] for context in contexts if context}

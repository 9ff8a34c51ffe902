"""Finds the tests that run a line of code, the most specific first: by coverage in which each test is a context."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from coverage import CoverageData

Contexts = Mapping[int, Iterable[str]]
"""The contexts in which each line of a file was executed."""


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
        """Return the ids of the tests that run this line, those first that run little else.

        A line that only runs at import (a constant, a decorator) has the tests of the whole file.
        """
        contexts = self._files.get(path, {})
        tests = _tests(contexts.get(line, ())) or {test for names in contexts.values() for test in _tests(names)}
        return sorted(tests, key=lambda test: (self._breadth[test], test))


def _tests(contexts: Iterable[str]) -> set[str]:
    """Return the tests' ids. A context is `id|setup`, `id|run` or `id|teardown`; at import it is empty."""
    return {context.rpartition("|")[0] for context in contexts if context}

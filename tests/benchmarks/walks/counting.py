"""Count calls and hops: how often the walk through the code goes from one file to another while it runs.

A call is a function of ours that begins. A coroutine that is resumed, a lambda and a comprehension are none. A hop is a
call from another file than the function's own, or from outside: from the event loop or a library. What the stand-ins
for providers do, and what they call of ours, does not count.
"""

import dis
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

OURS = re.compile(r"(bots|gateway|storage|webhooks)/")
STAND_INS = re.compile(r"webhooks/demo/|bots/simulation/|bots/\w+/simulator")
RESUMABLE = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


class Function(NamedTuple):
    file: str
    name: str


CallPath = tuple[Function, ...]
"""The functions of ours from the outermost one down to the one that begins."""

OUTSIDE = Function("(outside)", "")


class Walk(NamedTuple):
    """Each path that was taken, and how often."""

    paths: Counter[CallPath]

    @property
    def calls(self) -> int:
        return self.paths.total()

    @property
    def functions(self) -> int:
        return len({path[-1] for path in self.paths})

    @property
    def files(self) -> int:
        return len({path[-1].file for path in self.paths})

    @property
    def hops(self) -> int:
        return self.hops_by_function.total()

    @property
    def hops_by_function(self) -> Counter[tuple[Function, Function]]:
        """Return the calls from another file, by caller and callee."""
        hops: Counter[tuple[Function, Function]] = Counter()
        for path, times in self.paths.items():
            caller, callee = (OUTSIDE, *path)[-2:]
            if caller.file != callee.file:
                hops[caller, callee] += times
        return hops

    @property
    def hops_by_file(self) -> Counter[tuple[str, str]]:
        """Return the hops by the two files."""
        hops: Counter[tuple[str, str]] = Counter()
        for (caller, callee), times in self.hops_by_function.items():
            hops[caller.file, callee.file] += times
        return hops

    def without(self, idle: frozenset[CallPath]) -> "Walk":
        """Return the walk less all that also happens while there is nothing to do."""
        return Walk(Counter({path: times for path, times in self.paths.items() if path not in idle}))


class Recorder:
    """Records every path by which a function of ours begins, while it is `listening` in its thread."""

    def __init__(self, root: Path) -> None:
        self.walk = Walk(Counter())
        self._root = f"{root}/"
        self._cached_name = cache(self._name)

    @contextmanager
    def listening(self) -> Iterator[None]:
        sys.setprofile(self._record)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _record(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and self._function(frame) and _begins(frame) and (path := self._path(frame)):
            self.walk.paths[path] += 1

    def _path(self, frame: FrameType) -> CallPath:
        """Return the path down to this frame; none, if a stand-in has a part in it."""
        path = tuple(function for caller in _stack(frame) if (function := self._function(caller)))[::-1]
        return () if any(STAND_INS.match(function.file) for function in path) else path

    def _function(self, frame: FrameType) -> Function | None:
        code = frame.f_code
        return self._cached_name(code.co_filename, code.co_qualname) if code.co_flags & CO_OPTIMIZED else None

    def _name(self, file: str, name: str) -> Function | None:
        """Return None for a lambda, a comprehension, and whatever is not ours."""
        path = file.removeprefix(self._root)
        return Function(path, name) if OURS.match(path) and not name.endswith(">") else None


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame:
        yield frame
        frame = frame.f_back


def _begins(frame: FrameType) -> bool:
    """Is the frame at its start? Python also reports a coroutine or a generator whenever it is resumed."""
    return not frame.f_code.co_flags & RESUMABLE or frame.f_lasti == _start(frame.f_code)


@cache
def _start(code: CodeType) -> int:
    return next(step.offset for step in dis.get_instructions(code) if step.opname == "RESUME")

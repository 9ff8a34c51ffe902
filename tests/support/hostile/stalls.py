"""Watches the event loop that a gateway runs in: for how long it did not look whether anything else had come.

What counts is the CPU time of the loop's thread between two such looks, so that other programs on the machine do not
count. Callers in these tests run in other threads (`tests.support.http.stranger`), so that their work does not count.
"""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.runtime.collector import spare_opened

BLOCKED = 0.1
"""Seconds for which nothing that a stranger or a caller does may keep the loop from looking."""

REFERENCE = 0.004
"""Seconds that `_exercise` takes on the machine for which BLOCKED was chosen."""


@dataclass
class Stalls:
    """The longest stall so far, in seconds of CPU time on the machine for which BLOCKED was chosen.

    memory: by how many bytes this process became larger at most; 0 where the system does not tell.
    """

    longest: float = 0.0
    memory: int = 0


@contextmanager
def watched() -> Iterator[Stalls]:
    """Watch the running event loop as long as the block runs. The stalls are complete when it has ended."""
    selector: Any = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    spare_opened()  # as every process does; what the test run has gathered so far is no work of the gateway's
    select, stalls, since = selector.select, Stalls(), time.thread_time()

    def select_and_watch(timeout: float | None = None) -> Any:
        nonlocal since
        stalls.longest = max(stalls.longest, time.thread_time() - since)
        ready = select(timeout)
        since = time.thread_time()
        return ready

    selector.select, before = select_and_watch, _reset_peak()
    try:
        yield stalls
    finally:
        stalls.memory = max(0, _memory("VmHWM") - before)
        selector.select = select
        gc.unfreeze()
        stalls.longest /= max(1.0, min(_exercise() for _ in range(3)) / REFERENCE)


def _exercise() -> float:
    """Return how long this machine takes for a fixed exercise at this moment, in seconds of CPU time."""
    began = time.thread_time()
    sum(number * number for number in range(100_000))
    return time.thread_time() - began


def _reset_peak() -> int:
    """Let the system measure this process's largest size anew. Returns its size in bytes."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    """Return a figure of this process's memory as Linux names it, in bytes; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)

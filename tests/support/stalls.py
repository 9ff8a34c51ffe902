"""Watches the event loop that a gateway runs in: for how long it did not look whether anything else had come.

What counts is the CPU time of the loop's thread between two such looks, so that other programs on the machine do not
count. Callers in these tests run in other threads (`tests.support.http.stranger`), so that their work does not count.
"""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

BLOCKED = 0.1
"""Seconds for which nothing that a stranger or a caller does may keep the loop from looking."""

REFERENCE = 0.004
"""Seconds that `_exercise` takes on the machine for which BLOCKED was chosen."""


@dataclass
class Stalls:
    """The longest stall so far, in seconds of CPU time on the machine for which BLOCKED was chosen."""

    longest: float = 0.0


@contextmanager
def watched() -> Iterator[Stalls]:
    """Watch the running event loop as long as the block runs. The stalls are complete when it has ended."""
    selector: Any = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()  # what the test run has gathered so far is no work of the gateway's
    select, stalls, since = selector.select, Stalls(), time.thread_time()

    def select_and_watch(timeout: float | None = None) -> Any:
        nonlocal since
        stalls.longest = max(stalls.longest, time.thread_time() - since)
        ready = select(timeout)
        since = time.thread_time()
        return ready

    selector.select = select_and_watch
    try:
        yield stalls
    finally:
        selector.select = select
        gc.unfreeze()
        stalls.longest /= max(1.0, min(_exercise() for _ in range(3)) / REFERENCE)


def _exercise() -> float:
    """Return how long this machine takes for a fixed exercise at this moment, in seconds of CPU time."""
    began = time.thread_time()
    sum(number * number for number in range(100_000))
    return time.thread_time() - began

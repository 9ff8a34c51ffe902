"""Takes turns: long work of one request lets everything else in the process go on in between."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

LONGEST = 0.01
"""Seconds of work after which others have their turn."""


class Turns:
    """The turn of one task."""

    def __init__(self) -> None:
        self._ends_at = time.perf_counter() + LONGEST

    async def offer(self) -> None:
        """Let others go on if this task has worked for LONGEST since they last could."""
        if time.perf_counter() >= self._ends_at:
            await asyncio.sleep(0)
            self._ends_at = time.perf_counter() + LONGEST


async def in_turns(work: Callable[[T], U], items: Iterable[T]) -> AsyncIterator[U]:
    """Yield the result of `work` for each item, and let others go on in between."""
    turns = Turns()
    for item in items:
        yield work(item)
        await turns.offer()

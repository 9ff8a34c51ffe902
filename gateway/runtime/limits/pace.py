"""The pace of mailings: one process has as many of their messages under way as leave its event loop free for others.

What a message does in between any two waits makes all others wait that are ready at that moment: answers to webhooks,
replies to people, pages. How late the loop is tells how much of this there is, whoever makes it.
"""

import asyncio
import time
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from gateway.runtime.telemetry import metrics

LEAST, MOST = 20, 800
"""Messages of mailings under way in one process, whatever else it has to do."""

LATE = 0.001
"""Seconds that the loop may be late on average before mailings give way."""

EVERY = 0.05
"""Seconds between two looks at how late the loop is."""


class Pace:
    """How many messages of mailings this process may have under way."""

    def __init__(self, least: int = LEAST) -> None:
        self._least = least
        self._room = float(least)  # it grows only while it is used
        self._late = 0.0
        self._under_way = set[str]()
        self._is_full = False

    def free(self, own: AbstractSet[str]) -> int:
        """Return for how many more there is room. own: what this process works on, of all kinds."""
        self._under_way &= own
        return max(0, int(self._room) - len(self._under_way))

    def begin(self, keys: Iterable[str]) -> None:
        """Count these messages as under way."""
        self._under_way.update(keys)
        self._is_full = len(self._under_way) >= int(self._room)

    def end(self, key: str) -> bool:
        """Count a message as under way no more. Returns whether to take more, which may have waited for room."""
        self._under_way.discard(key)
        wanted = self._is_full and len(self._under_way) <= self._room / 2
        self._is_full = self._is_full and not wanted
        return wanted

    def adjust(self, late: float) -> None:
        """Make less room while the loop is late by so many seconds on average, else a little more if it is used."""
        self._late += (late - self._late) / 4
        if self._late > LATE:
            self._room = max(self._least, self._room * 0.8)
        elif 2 * len(self._under_way) >= self._room:
            self._room = min(MOST, self._room + 1)
        metrics.MAILING_ROOM.set(self._room)

    async def keep(self, stop: asyncio.Event) -> None:
        """Adjust the room until `stop`."""
        while not stop.is_set():
            began = time.perf_counter()
            await asyncio.sleep(EVERY)
            self.adjust(time.perf_counter() - began - EVERY)

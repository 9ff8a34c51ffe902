"""A provider that answers only once all calls have arrived, so that a sender that waits for each answer hangs."""

import asyncio

from bots.simulation.faults import FaultsOnDemand


class AnswerBarrier(FaultsOnDemand):
    """Replaces a simulator's `faults`: `count` calls are answered together, `after` seconds after the last of them."""

    def __init__(self, count: int, after: float) -> None:
        super().__init__("")
        self.answer_after = after
        self._barrier = asyncio.Barrier(count)

    async def next_error(self) -> str | None:
        await self._barrier.wait()
        return await super().next_error()

"""A provider that answers nobody before all have called: who sends one after another waits for ever."""

import asyncio

from bots.simulation.simulation import Faults


class AnswerBarrier(Faults):
    """In place of a stand-in's `faults`: `count` calls are answered together, `after` seconds after the last."""

    def __init__(self, count: int, after: float) -> None:
        super().__init__("")
        self.answer_after = after
        self._all = asyncio.Barrier(count)

    async def next_error(self) -> str | None:
        await self._all.wait()
        return await super().next_error()

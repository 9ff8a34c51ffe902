"""Providers that answer when a test says so, and not after a time that a busy machine may need for something else."""

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


class AnswerGate(FaultsOnDemand):
    """Replaces a simulator's `faults`: calls that have `arrived` are handled once the gate is `opened`."""

    def __init__(self) -> None:
        super().__init__("")
        self.arrived, self.opened = asyncio.Event(), asyncio.Event()

    async def next_error(self) -> str | None:
        self.arrived.set()
        await self.opened.wait()
        return await super().next_error()

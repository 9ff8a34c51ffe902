"""Callers that ask while others are being served share the next trip."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from pymongo.errors import ConnectionFailure

A = TypeVar("A")
R = TypeVar("R")

MOST = 50
"""Questions in one trip: more would make the first wait for the last."""


class Together(Generic[A, R]):
    """`serve` answers many questions at once, in their order. Alone, a caller is served at once.

    A caller who has gone away does not disturb the others; neither does one whose question breaks: then each is served
    by itself. `serve` has to bear being asked the same again.
    """

    def __init__(self, serve: Callable[[Sequence[A]], Awaitable[Sequence[R]]], most: int = MOST) -> None:
        self._serve = serve
        self._most = most
        self._waiting: list[tuple[A, asyncio.Future[R]]] = []
        self._trips: asyncio.Task[None] | None = None

    async def __call__(self, asked: A) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._trips is None or self._trips.done():
            self._trips = asyncio.create_task(self._all_trips())
        return await answer

    async def _all_trips(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._trip(batch)

    async def _trip(self, batch: Sequence[tuple[A, "asyncio.Future[R]"]]) -> None:
        try:
            answers = await self._serve([asked for asked, _ in batch])
        except ConnectionFailure as error:
            _tell(batch, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, each of them has to hear it
            if len(batch) == 1:
                _tell(batch, error)
            else:
                for alone in batch:
                    await self._trip([alone])
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _tell(batch: Sequence[tuple[A, "asyncio.Future[R]"]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)

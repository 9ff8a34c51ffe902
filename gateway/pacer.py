"""Reserves the moments at which messages leave, in the database, so that all processes together keep to a rate."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.channel import Rate
from gateway.pace import slots
from storage import paces
from storage.database import Db

REMEMBERED = 20_000
"""Keys of which this process remembers when they are free; of the others it asks the database."""

Moments = list[datetime]


@dataclass
class _Asked:
    count: int
    horizon: timedelta
    now: datetime
    answer: "asyncio.Future[Moments | datetime]"


class Pacer:
    """Requests of one process for one key share a write; between processes the faster write counts."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._known: dict[str, datetime | None] = {}
        self._asked: dict[str, list[_Asked]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, key: str, rate: Rate, count: int, horizon: timedelta, now: datetime) -> Moments | datetime:
        """The moments at which to send, now reserved; or, if the first is beyond the horizon, when it would be."""
        asked = _Asked(count, horizon, now, asyncio.get_running_loop().create_future())
        if key in self._asked:
            self._asked[key].append(asked)
        else:
            self._asked[key] = [asked]
            task = asyncio.create_task(self._serve(key, rate))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await asked.answer

    def free_at(self, key: str) -> datetime | None:
        """When the key is free again, as far as this process knows."""
        return self._known.get(key)

    def too_early(self, key: str, rate: Rate, horizon: timedelta, now: datetime) -> datetime | None:
        """When the key would be free, where this process knows that it is beyond the horizon."""
        moments, later = slots(rate, self.free_at(key), now, 1, horizon)
        return None if moments else later

    async def _serve(self, key: str, rate: Rate) -> None:
        """Answer all who ask for this key, those together who ask while a write is under way."""
        while batch := self._asked[key]:
            self._asked[key] = []
            try:
                answers = await self._reserve(key, rate, batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, each of them has to hear it
                for asked in batch:
                    if not asked.answer.done():
                        asked.answer.set_exception(error)
            else:
                for asked, answer in zip(batch, answers, strict=True):
                    if not asked.answer.done():
                        asked.answer.set_result(answer)
        del self._asked[key]

    async def _reserve(self, key: str, rate: Rate, batch: list[_Asked]) -> list[Moments | datetime]:
        self._forget(batch[0].now)
        while True:
            known = self._known.get(key)
            free_at, answers = known, list[Moments | datetime]()
            for asked in batch:
                moments, after = slots(rate, free_at, asked.now, asked.count, asked.horizon)
                answers.append(moments or after)
                free_at = after if moments else free_at
            if free_at is None or free_at == known or await paces.swap(self._db, key, known, free_at):
                self._known[key] = free_at
                return answers
            self._known[key] = await paces.known(self._db, key)

    def _forget(self, now: datetime) -> None:
        if len(self._known) > REMEMBERED:
            self._known = {key: at for key, at in self._known.items() if at and at > now}

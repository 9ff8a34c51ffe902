"""Reserves the moments at which messages leave, in the database, so that all processes together keep to a rate."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from gateway.domain.channel.facts import Rate
from gateway.domain.channel.rates import slots
from storage.accounts import rate_limits
from storage.documents.together import Together
from storage.engine.database import Db

REMEMBERED = 20_000
"""Keys of which this process remembers when they are free; of the others it asks the database."""

ALL = 1000
"""However many want the same account at once, they can share a write."""

Moments = list[datetime]


@dataclass(frozen=True)
class _Asked:
    key: str
    rate: Rate
    count: int
    horizon: timedelta
    now: datetime


class RateLimiter:
    """Requests of one process for one key share a write; between processes the faster write counts."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._known: dict[str, datetime | None] = {}
        self._take: Together[_Asked, Moments | datetime] = Together(self._take_all, ALL)

    async def take(self, key: str, rate: Rate, count: int, horizon: timedelta, now: datetime) -> Moments | datetime:
        """The moments at which to send, now reserved; or, if the first is beyond the horizon, when it would be."""
        return await self._take(_Asked(key, rate, count, horizon, now))

    def free_at(self, key: str) -> datetime | None:
        """When the key is free again, as far as this process knows."""
        return self._known.get(key)

    def too_early(self, key: str, rate: Rate, horizon: timedelta, now: datetime) -> datetime | None:
        """When the key would be free, where this process knows that it is beyond the horizon."""
        moments, later = slots(rate, self.free_at(key), now, 1, horizon)
        return None if moments else later

    async def _take_all(self, asked: Sequence[_Asked]) -> Sequence[Moments | datetime]:
        self._forget(asked[0].now)
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, one in enumerate(asked):
            places[one.key].append(place)
        told = await asyncio.gather(*(self._reserve([asked[at] for at in own]) for own in places.values()))
        answers = dict(zip(chain(*places.values()), chain(*told), strict=True))
        return [answers[place] for place in range(len(asked))]

    async def _reserve(self, batch: Sequence[_Asked]) -> Sequence[Moments | datetime]:
        """For one key, in one write."""
        key = batch[0].key
        while True:
            known = self._known.get(key)
            free_at, answers = known, list[Moments | datetime]()
            for asked in batch:
                moments, after = slots(asked.rate, free_at, asked.now, asked.count, asked.horizon)
                answers.append(moments or after)
                free_at = after if moments else free_at
            if free_at is None or free_at == known or await rate_limits.swap(self._db, key, known, free_at):
                self._known[key] = free_at
                return answers
            self._known[key] = await rate_limits.free_at(self._db, key)

    def _forget(self, now: datetime) -> None:
        if len(self._known) > REMEMBERED:
            self._known = {key: at for key, at in self._known.items() if at and at > now}

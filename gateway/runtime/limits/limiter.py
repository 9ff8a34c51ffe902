"""The rate limiter: it reserves moments for sends in the database, so that all processes together keep to a rate."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from gateway.domain.channel.rates import Rate, slots
from storage.accounts import rate_limits
from storage.documents.documents import Db
from storage.documents.trips import Together

REMEMBERED = 20_000
"""Keys of which this process remembers when they are free again; for the others it asks the database."""

ALL = 1000
"""Requests that may share a write."""

Moments = list[datetime]


@dataclass(frozen=True)
class _Request:
    key: str
    rate: Rate
    count: int
    horizon: timedelta
    now: datetime


class RateLimiter:
    """Reserves moments per key: GCRA, whose only state per key is when it is free again.

    Requests of one process for one key share a write; between processes the faster write wins.
    """

    def __init__(self, db: Db) -> None:
        self._db = db
        self._free_at: dict[str, datetime | None] = {}
        self._take: Together[_Request, Moments | datetime] = Together(self._take_all, ALL)

    async def take(self, key: str, rate: Rate, count: int, horizon: timedelta, now: datetime) -> Moments | datetime:
        """Reserve moments for `count` sends. Returns them, or, if the first is beyond the horizon, when that is."""
        return await self._take(_Request(key, rate, count, horizon, now))

    def free_at(self, key: str) -> datetime | None:
        """Return when the key is free again, as far as this process knows."""
        return self._free_at.get(key)

    def too_early(self, key: str, rate: Rate, horizon: timedelta, now: datetime) -> datetime | None:
        """Return when the key is free, if this process knows that to be beyond the horizon; else None."""
        moments, later = slots(rate, self.free_at(key), now, 1, horizon)
        return None if moments else later

    async def _take_all(self, requests: Sequence[_Request]) -> Sequence[Moments | datetime]:
        self._forget(requests[0].now)
        indexes: defaultdict[str, list[int]] = defaultdict(list)
        for index, request in enumerate(requests):
            indexes[request.key].append(index)
        reserved = await asyncio.gather(*(self._reserve([requests[i] for i in group]) for group in indexes.values()))
        results = dict(zip(chain(*indexes.values()), chain(*reserved), strict=True))
        return [results[index] for index in range(len(requests))]

    async def _reserve(self, batch: Sequence[_Request]) -> Sequence[Moments | datetime]:
        """Reserve for requests of one key, in one write."""
        key = batch[0].key
        while True:
            before = self._free_at.get(key)
            free_at, results = before, list[Moments | datetime]()
            for request in batch:
                moments, after = slots(request.rate, free_at, request.now, request.count, request.horizon)
                results.append(moments or after)
                free_at = after if moments else free_at
            if free_at is None or free_at == before or await rate_limits.swap(self._db, key, before, free_at):
                self._free_at[key] = free_at
                return results
            self._free_at[key] = await rate_limits.free_at(self._db, key)

    def _forget(self, now: datetime) -> None:
        if len(self._free_at) > REMEMBERED:
            self._free_at = {key: at for key, at in self._free_at.items() if at and at > now}

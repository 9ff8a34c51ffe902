"""The due queue: `due_at` says when a document wants attention, `lease` who gives it, until when is `due_at` again.

A worker that dies gives nothing back; its lease runs out and `due_at` comes round. find_one_and_update is not used:
a batch costs three operations whatever its size.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from storage.documents.trips import Collection, Document

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MARGIN = timedelta(seconds=2)
"""By how much the clocks of our machines may differ, and a write may take."""

LOOK_BACK = timedelta(seconds=5)
"""How often we look for what fell due behind our back: by a clock that was further off, or after a failed claim."""

NARROWEST, FIRST, WIDEST = timedelta(milliseconds=20), timedelta(seconds=1), timedelta(days=10_000)


@dataclass
class _Mark:
    """Up to `since` nothing is due any more. `width` is the range that gave about as much as was wanted."""

    since: datetime = EPOCH
    width: timedelta = FIRST
    look_back_at: datetime = EPOCH


class Due:
    """Reads the ids of what is due, the oldest first, in narrow ranges of time.

    Narrow, because some servers read all of a range whatever the limit: the cost of a look must not grow with the
    backlog. Each process keeps its own marks; the documents are the truth.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._marks: dict[str | None, _Mark] = {}

    async def ids(self, lane: str | None, now: datetime, limit: int) -> list[str]:
        """Up to `limit` of those that are due in this lane (None: the collection has no lanes)."""
        mark, found = self._marks.get(lane) or await self._first_mark(lane, now), []
        if now < mark.since:  # the demo's clock and an operator's can be put back
            mark.since, mark.look_back_at = now, now
        if now >= mark.look_back_at:
            mark.look_back_at = now + LOOK_BACK
            found = await self._between(lane, EPOCH, mark.since, limit)
        while len(found) < limit and mark.since < now - MARGIN:
            end = min(mark.since + mark.width, now - MARGIN)
            page = await self._between(lane, mark.since, end, limit - len(found))
            found += page
            if len(found) >= limit:
                mark.width = max(mark.width / 4, NARROWEST)
                return found
            mark.since, mark.width = end, min(mark.width * 2, WIDEST)
        return found + (await self._between(lane, mark.since, now, limit - len(found)) if len(found) < limit else [])

    async def _first_mark(self, lane: str | None, now: datetime) -> _Mark:
        """Most lanes are empty when a process starts: one question, and not a walk through the years in small steps."""
        empty = not await self._between(lane, EPOCH, now - MARGIN, 1)
        self._marks[lane] = _Mark(now - MARGIN) if empty else _Mark()
        return self._marks[lane]

    async def _between(self, lane: str | None, start: datetime, end: datetime, limit: int) -> list[str]:
        if start >= end:
            return []
        query: Document = {"due_at": {"$gt": start, "$lte": end}}
        if lane is not None:
            query = {"lane": lane, **query}
        return [document["_id"] async for document in self._collection.find(query, {"_id": 1}).limit(limit)]


async def claim(collection: Collection, ids: list[str], now: datetime, lease: timedelta) -> list[Document]:
    """Take these for the length of `lease`, as far as they are still due: exactly one taker each."""
    if not ids:
        return []
    token = uuid4().hex
    still_due = {"$and": [{"$gt": ["$due_at", EPOCH]}, {"$lte": ["$due_at", now]}]}  # what is missing is less than now
    await collection.update_many(
        {"_id": {"$in": ids}},
        [
            {
                "$set": {
                    "lease": {"$cond": [still_due, token, "$lease"]},
                    "due_at": {"$cond": [still_due, now + lease, "$due_at"]},
                    "version": {"$cond": [still_due, {"$add": [{"$ifNull": ["$version", 0]}, 1]}, "$version"]},
                }
            }
        ],
    )
    return [document async for document in collection.find({"lease": token})]


async def renew(collection: Collection, leases: Iterable[str], until: datetime) -> None:
    """What is held under these leases stays so until then; what others have taken over meanwhile is theirs."""
    held = sorted({lease for lease in leases if lease})
    if held:
        await collection.update_many({"lease": {"$in": held}}, {"$set": {"due_at": until}})

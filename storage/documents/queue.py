"""The due queue: `due_at` is when a document is due; `lease` names its worker, and `due_at` is then the lease's end.

A worker that dies releases nothing; its lease ends, and the document is due again. find_one_and_update is not used:
a batch costs three operations whatever its size.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from storage.documents.documents import Collection, Document

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MARGIN = timedelta(seconds=2)
"""How far the clocks of our machines may differ, including the time of a write."""

LOOK_BACK = timedelta(seconds=5)
"""How often we read what fell due before the mark: by a clock that was further off, or after a failed claim."""

NARROWEST, FIRST, WIDEST = timedelta(milliseconds=20), timedelta(seconds=1), timedelta(days=10_000)


@dataclass
class _Mark:
    """Up to `since` nothing is due any more. width: the range of time that last gave about as many as requested."""

    since: datetime = EPOCH
    width: timedelta = FIRST
    look_back_at: datetime = EPOCH


class Due:
    """Reads the ids of what is due, the oldest first, in narrow ranges of time.

    Narrow, because some servers read all of a range whatever the limit: the cost of a read must not grow with the
    backlog. Each process keeps its own marks; the documents decide.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._marks: dict[str | None, _Mark] = {}

    async def ids(self, lane: str | None, now: datetime, limit: int) -> list[str]:
        """Return up to `limit` ids that are due in this lane (None: the collection has no lanes)."""
        mark, ids = self._marks.get(lane) or await self._first_mark(lane, now), []
        if now < mark.since:  # the demo's clock and an operator's can be put back
            mark.since, mark.look_back_at = now, now
        if now >= mark.look_back_at:
            mark.look_back_at = now + LOOK_BACK
            ids = await self._between(lane, EPOCH, mark.since, limit)
        while len(ids) < limit and mark.since < now - MARGIN:
            end = min(mark.since + mark.width, now - MARGIN)
            page = await self._between(lane, mark.since, end, limit - len(ids))
            ids += page
            if len(ids) >= limit:
                mark.width = max(mark.width / 4, NARROWEST)
                return ids
            mark.since, mark.width = end, min(mark.width * 2, WIDEST)
        return ids + (await self._between(lane, mark.since, now, limit - len(ids)) if len(ids) < limit else [])

    async def _first_mark(self, lane: str | None, now: datetime) -> _Mark:
        """Set a lane's first mark. Most lanes are empty at the start: one query replaces many small steps from 1970."""
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
    """Claim those that are still due for the length of `lease`. Each is claimed and returned by exactly one caller."""
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
    """Extend these leases until then; documents that others have claimed meanwhile stay theirs."""
    held = sorted({lease for lease in leases if lease})
    if held:
        await collection.update_many({"lease": {"$in": held}}, {"$set": {"due_at": until}})


async def revive(
    collection: Collection, keys: Iterable[str], now: datetime, fields: Mapping[str, object]
) -> Mapping[str, bool]:
    """Make dead documents due again, as new ones, and set these fields of theirs to expressions.

    Returns {id: True} if it was dead and is due again, {id: False} if it exists but was not dead; unknown ids are
    absent.
    """
    documents = collection.find({"_id": {"$in": list(keys)}}, {"dead_at": 1})
    was_dead = {document["_id"]: "dead_at" in document async for document in documents}
    still = {"$gt": ["$dead_at", EPOCH]}  # what is missing is less
    new = {**fields, "due_at": now, "tries": 0, "dead_at": "$$REMOVE"}
    update = [{"$set": {name: {"$cond": [still, value, f"${name}"]} for name, value in new.items()}}]
    await collection.update_many({"_id": {"$in": [key for key, dead in was_dead.items() if dead]}}, update)
    return was_dead

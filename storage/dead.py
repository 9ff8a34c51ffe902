"""Dead letters of a collection: the documents that carry `dead_at`, the newest first, a page at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.documents import Collection, Document
from storage.queue import EPOCH, WIDEST

END = datetime(9999, 1, 1, tzinfo=UTC)
FIRST, WIDER = timedelta(minutes=1), 4
"""How far back the first look goes, and by how much the next one goes further."""


@dataclass(frozen=True)
class Place:
    """The last one of a page: the next page begins behind it."""

    at: datetime
    id: str


async def page(collection: Collection, after: Place | None, now: datetime, limit: int) -> list[Document]:
    """Up to `limit`, read in ranges of time that grow backwards: some servers read all of a range, whatever the limit.

    Those of one moment are in the order of their ids.
    """
    found, upper, lower, width = list[Document](), END, now, FIRST
    if after:
        found = [tied for tied in await _at(collection, after.at) if tied["_id"] < after.id][:limit]
        upper = lower = after.at
    while len(found) < limit and upper > EPOCH:
        lower = max(lower - width, EPOCH)
        found += await _between(collection, lower, upper, limit - len(found))
        upper, width = lower, min(width * WIDER, WIDEST)
    return found


async def count(collection: Collection, most: int) -> int:
    """How many there are; no more than `most` are counted."""
    found = collection.find({"dead_at": {"$gte": EPOCH, "$lt": END}}, {"_id": 1}).limit(most)
    return len([document["_id"] async for document in found])


async def _between(collection: Collection, lower: datetime, upper: datetime, limit: int) -> list[Document]:
    query = {"dead_at": {"$gte": lower, "$lt": upper}}
    found = [document async for document in collection.find(query).sort("dead_at", -1).limit(limit)]
    if len(found) == limit:  # of those of the last moment, some may be missing
        last = found[-1]["dead_at"]
        found = [document for document in found if document["dead_at"] > last] + await _at(collection, last)
    return sorted(found, key=lambda document: (document["dead_at"], document["_id"]), reverse=True)[:limit]


async def _at(collection: Collection, moment: datetime) -> list[Document]:
    found = [document async for document in collection.find({"dead_at": moment})]
    return sorted(found, key=lambda document: str(document["_id"]), reverse=True)

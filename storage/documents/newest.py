"""Documents in the order of a time, the newest first, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.documents.queue import EPOCH, WIDEST
from storage.documents.trips import Collection, Document

END = datetime(9999, 1, 1, tzinfo=UTC)
FIRST, WIDER = timedelta(minutes=1), 4
"""How far back the first look goes, and by how much the next one goes further."""


@dataclass(frozen=True)
class Place:
    """The last one of a page: the next page begins behind it."""

    at: datetime
    id: str


@dataclass(frozen=True)
class Order:
    """By the time in `by`, which an index has, behind `where` if that is given; from `since` until before `until`."""

    collection: Collection
    by: str
    where: Mapping[str, Any] = field(default_factory=dict)
    since: datetime = EPOCH
    until: datetime = END


async def page(order: Order, after: Place | None, now: datetime, limit: int) -> list[Document]:
    """Up to `limit`, read in ranges of time that grow backwards: some servers read all of a range, whatever the limit.

    Those of one moment are in the order of their ids.
    """
    found, upper, width = list[Document](), order.until, FIRST
    lower = min(now, upper)
    if after and after.at < order.until:
        found = [tied for tied in await _at(order, after.at) if tied["_id"] < after.id][:limit]
        upper = lower = after.at
    while len(found) < limit and upper > order.since:
        lower = max(lower - width, order.since)
        found += await _between(order, lower, upper, limit - len(found))
        upper, width = lower, min(width * WIDER, WIDEST)
    return found


async def count(order: Order, most: int) -> int:
    """How many there are; no more than `most` are counted."""
    query = {**order.where, order.by: {"$gte": order.since, "$lt": order.until}}
    found = order.collection.find(query, {"_id": 1}).limit(most)
    return len([document["_id"] async for document in found])


async def _between(order: Order, lower: datetime, upper: datetime, limit: int) -> list[Document]:
    by = order.by
    query = {**order.where, by: {"$gte": lower, "$lt": upper}}
    found = [document async for document in order.collection.find(query).sort(by, -1).limit(limit)]
    if len(found) == limit:  # of those of the last moment, some may be missing
        last = found[-1][by]
        found = [document for document in found if document[by] > last] + await _at(order, last)
    return sorted(found, key=lambda document: (document[by], document["_id"]), reverse=True)[:limit]


async def _at(order: Order, moment: datetime) -> list[Document]:
    found = [document async for document in order.collection.find({**order.where, order.by: moment})]
    return sorted(found, key=lambda document: str(document["_id"]), reverse=True)

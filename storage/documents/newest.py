"""Pages of documents in the order of a time, the newest first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.documents.documents import Collection, Document
from storage.documents.queue import EPOCH, WIDEST

END = datetime(9999, 1, 1, tzinfo=UTC)
FIRST, WIDER = timedelta(minutes=1), 4
"""The first range of time that is read, and the factor by which each further one is wider."""


@dataclass(frozen=True)
class Place:
    """The last document of a page: the next page begins behind it."""

    at: datetime
    id: str


@dataclass(frozen=True)
class Order:
    """An order by the indexed time in `by`, of documents that match `where`; from `since` until before `until`."""

    collection: Collection
    by: str
    where: Mapping[str, Any] = field(default_factory=dict)
    since: datetime = EPOCH
    until: datetime = END


async def page(order: Order, after: Place | None, now: datetime, limit: int) -> list[Document]:
    """Return up to `limit` documents behind `after`; those of one moment are in the order of their ids.

    They are read in ranges of time that grow backwards: some servers read all of a range, whatever the limit.
    """
    documents, upper, width = list[Document](), order.until, FIRST
    lower = min(now, upper)
    if after and after.at < order.until:
        documents = [tied for tied in await _at(order, after.at) if tied["_id"] < after.id][:limit]
        upper = lower = after.at
    while len(documents) < limit and upper > order.since:
        lower = max(lower - width, order.since)
        documents += await _between(order, lower, upper, limit - len(documents))
        upper, width = lower, min(width * WIDER, WIDEST)
    return documents


async def count(order: Order, most: int) -> int:
    """Return how many there are, up to `most`."""
    query = {**order.where, order.by: {"$gte": order.since, "$lt": order.until}}
    documents = order.collection.find(query, {"_id": 1}).limit(most)
    return len([document["_id"] async for document in documents])


async def _between(order: Order, lower: datetime, upper: datetime, limit: int) -> list[Document]:
    by = order.by
    query = {**order.where, by: {"$gte": lower, "$lt": upper}}
    documents = [document async for document in order.collection.find(query).sort(by, -1).limit(limit)]
    if len(documents) == limit:  # of those of the last moment, some may be missing
        last = documents[-1][by]
        documents = [document for document in documents if document[by] > last] + await _at(order, last)
    return sorted(documents, key=lambda document: (document[by], document["_id"]), reverse=True)[:limit]


async def _at(order: Order, moment: datetime) -> list[Document]:
    documents = [document async for document in order.collection.find({**order.where, order.by: moment})]
    return sorted(documents, key=lambda document: str(document["_id"]), reverse=True)

"""The inbox: every event that a provider delivered, stored once and before it is acknowledged."""

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, count

import msgspec
from msgspec import Struct
from pymongo.errors import BulkWriteError, ExecutionTimeout

from gateway.domain.model.event import Event, Personal
from storage.documents import newest, queue
from storage.documents.documents import Db, from_document
from storage.documents.newest import Order, Place
from storage.documents.trips import Collection, Document, Together, duplicates

PATIENCE = 8
"""Seconds after which a provider hears that its events are not stored, and delivers them again: they do not wait long.
What is stored late all the same is recognised then.
"""


ALL = 1000
"""Calls that may share an insert."""


class Delivered(Struct, frozen=True):
    """An event in the inbox, since `at`. `tries` counts how often working on it has failed; `lease`: it is ours."""

    id: str
    event: Event
    at: datetime
    tries: int = 0
    lease: str = ""


class Inbox:
    """Group commit: requests that come while an insert is under way share the next one."""

    def __init__(self, db: Db) -> None:
        self._collection: Collection = db["inbox"]
        self._due = queue.Due(self._collection)
        self._add = Together(self._add_all, ALL)
        self._done = Together(self._all_done)

    async def add(self, events: Sequence[Event], now: datetime) -> None:
        """Return when the events are on disk; those that were there already are passed over.

        Raises DatabaseError if they may not be: the provider has to deliver again.
        """
        if not events:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._add([_document(event, now) for event in events])
        except TimeoutError:
            raise ExecutionTimeout(f"nothing was stored within {PATIENCE} s") from None

    async def _add_all(self, calls: Sequence[Sequence[Document]]) -> Sequence[None]:
        try:
            await self._collection.insert_many(list(chain(*calls)), ordered=False)
        except BulkWriteError as error:
            duplicates(error)
        return [None] * len(calls)

    async def claim(self, now: datetime, lease: timedelta, limit: int) -> list[Delivered]:
        """Take events that are due, for the length of `lease`, in the order in which they were accepted."""
        documents = await queue.claim(self._collection, await self._due.ids(None, now, limit), now, lease)
        documents.sort(key=_order)
        return [
            Delivered(d["_id"], msgspec.convert(d["event"], Event), d["at"], d.get("tries", 0), d["lease"])
            for d in documents
        ]

    async def too_early(self, items: Sequence[Delivered], own: Container[str]) -> set[str]:
        """Which of these have to wait for an earlier event of their conversation that is in another process's hands.

        `own`: what this process works on already; it keeps the order of that itself.
        """
        lanes = {item.event.lane for item in items if isinstance(item.event, Personal)}
        if not lanes:
            return set()
        asked = {"lane": {"$in": sorted(lanes)}}
        live = [d async for d in self._collection.find(asked, {"lane": 1, "at": 1, "n": 1})]
        mine, first = {item.id for item in items}, dict[str, Document]()
        for document in sorted(live, key=_order):
            if document["_id"] not in mine and document["_id"] not in own:
                first.setdefault(document["lane"], document)
        early = (d for d in live if d["_id"] in mine and d["lane"] in first and _order(first[d["lane"]]) < _order(d))
        return {document["_id"] for document in early}

    async def put_back(self, keys: Iterable[str], at: datetime) -> None:
        """Not now, but `at`."""
        update = {"$set": {"due_at": at}, "$unset": {"lease": ""}}
        await self._collection.update_many({"_id": {"$in": list(keys)}}, update)

    async def given_back(self, item: Delivered, now: datetime) -> None:
        """The database went away over this one: it is due again, if it is still ours."""
        ours = {"$eq": ["$lease", item.lease]}
        update = [{"$set": {"due_at": {"$cond": [ours, now, "$due_at"]}}}]
        await self._collection.update_one({"_id": item.id}, update)

    async def done(self, key: str, now: datetime) -> None:
        """It was worked off: out of the queue, and remembered for the dedupe."""
        await self._done((key, now))

    async def _all_done(self, items: Sequence[tuple[str, datetime]]) -> Sequence[None]:
        keys, latest = [key for key, _ in items], max(now for _, now in items)
        await self._collection.update_many({"_id": {"$in": keys}}, {"$set": {"done_at": latest}, "$unset": _REST})
        return [None] * len(items)

    async def failed(self, item: Delivered, reason: str, now: datetime, again_at: datetime | None) -> None:
        """Working on this one failed: again at that time, without keeping its conversation waiting; or never (None)."""
        update: Document = {"$inc": {"tries": 1}, "$set": {"reason": reason}, "$unset": {"lease": "", "lane": ""}}
        if again_at:
            update["$set"]["due_at"] = again_at
        else:
            update["$set"]["dead_at"] = now
            update["$unset"]["due_at"] = ""
        await self._collection.update_one({"_id": item.id}, update)


_REST = {"due_at": "", "lease": "", "lane": ""}
_count = count(1)


def _document(event: Event, now: datetime) -> Document:
    """`n` keeps the order of events that came in the same millisecond. `lane` is there while others wait for it."""
    item = msgspec.to_builtins(event, builtin_types=(datetime,))
    document = {"_id": event.dedupe_key, "event": item, "at": now, "n": next(_count), "due_at": now}
    return document | ({"lane": event.lane} if isinstance(event, Personal) else {})


def _order(document: Document) -> tuple[datetime, int]:
    return document["at"], document["n"]


class Dead(Struct, frozen=True):
    """An event that could not be worked on after all its tries, and why."""

    id: str
    event: Event
    dead_at: datetime
    reason: str = ""
    tries: int = 0


async def dead(db: Db, after: Place | None, now: datetime, limit: int) -> list[Dead]:
    """A page of those, the newest first."""
    return [
        from_document(Dead, document)
        for document in await newest.page(Order(db["inbox"], "dead_at"), after, now, limit)
    ]


async def count_dead(db: Db, most: int) -> int:
    """See storage.documents.newest.count."""
    return await newest.count(Order(db["inbox"], "dead_at"), most)


async def revived(db: Db, keys: Sequence[str], now: datetime) -> Mapping[str, bool]:
    """Have the dead ones among these worked on anew. Which of them there are, and whether each was dead."""
    asked = db["inbox"].find({"_id": {"$in": list(keys)}}, {"dead_at": 1})
    known = {document["_id"]: "dead_at" in document async for document in asked}
    still = {"$gt": ["$dead_at", queue.EPOCH]}  # what is missing is less
    fields = {"due_at": now, "tries": 0, "dead_at": "$$REMOVE"}
    update = [{"$set": {name: {"$cond": [still, value, f"${name}"]} for name, value in fields.items()}}]
    await db["inbox"].update_many({"_id": {"$in": [key for key, was_dead in known.items() if was_dead]}}, update)
    return known

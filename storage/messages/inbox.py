"""The inbox: every event that a provider delivered is stored here once, before it is acknowledged."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, count
from typing import NamedTuple

import msgspec
from msgspec import Struct
from pymongo.errors import BulkWriteError, ExecutionTimeout

from gateway.domain.model.event import Event, Personal
from storage.documents import newest, queue
from storage.documents.documents import Collection, Db, Document, Together, duplicates, from_document
from storage.documents.newest import Order, Place
from storage.documents.queue import EPOCH

PATIENCE = 8
"""Seconds after which we answer a provider that its events are not stored, so that it delivers them again.

Providers do not wait long for an answer. Events that are stored late all the same are recognised as duplicates then.
"""

ALL = 1000
"""How many calls may share an insert."""


class Delivered(Struct, frozen=True):
    """An event that came into the inbox at `at` and is leased by us under `lease`. `tries` counts failed attempts."""

    id: str
    event: Event
    at: datetime
    tries: int = 0
    lease: str = ""


class Unfinished(NamedTuple):
    """An event that is not worked off, and its conversation."""

    id: str
    lane: str


def too_early(items: Sequence[Delivered], unfinished: Sequence[Unfinished], own: set[str]) -> set[str]:
    """Return the ids of those items that come after an unfinished event that is in nobody's hands here. Pure.

    unfinished: all in their conversations, in their order. own: the ids that this process works on, which
    keeps the order of those itself.
    """
    ids, blocked, early = {item.id for item in items}, set[str](), set[str]()
    for place in unfinished:
        if place.id not in ids and place.id not in own:
            blocked.add(place.lane)
        elif place.lane in blocked:
            early.add(place.id)
    return early & ids


def key(event: Event) -> str:
    """Return the key by which duplicates are recognised: the provider's event id within our account."""
    return f"{event.channel}:{event.account}:{event.id}"


class Inbox:
    """The queue of events, with group commit: requests that come while an insert is under way share the next one."""

    def __init__(self, db: Db) -> None:
        self._collection: Collection = db["inbox"]
        self._due = queue.Due(self._collection)
        self._add = Together(self._add_all, ALL)
        self._complete = Together(self._complete_all)

    async def add(self, events: Sequence[Event], now: datetime) -> None:
        """Store events, except those that are stored already; return when they are on disk.

        Raises DatabaseError if they may not be stored; then the provider has to deliver them again.
        """
        if not events:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._add([document_of(event, now) for event in events])
        except TimeoutError:
            raise ExecutionTimeout(f"nothing was stored within {PATIENCE} s") from None

    async def _add_all(self, calls: Sequence[Sequence[Document]]) -> Sequence[None]:
        try:
            await self._collection.insert_many(list(chain(*calls)), ordered=False)
        except BulkWriteError as error:
            duplicates(error)
        return [None] * len(calls)

    async def claim(self, now: datetime, lease: timedelta, limit: int, own: set[str]) -> list[Delivered]:
        """Take up to `limit` events that are due, for the length of `lease`, in the order of acceptance.

        own: the ids that this process works on already, which it keeps under the lease that they have.
        """
        ids = [key for key in await self._due.ids(None, now, limit) if key not in own]
        documents = await queue.claim(self._collection, ids, now, lease)
        documents.sort(key=_order)
        return [
            Delivered(d["_id"], msgspec.convert(d["event"], Event), d["at"], d.get("tries", 0), d["lease"])
            for d in documents
        ]

    async def unfinished(self, items: Sequence[Delivered]) -> list[Unfinished]:
        """Return all unfinished events in the conversations of these, in their order."""
        lanes = {item.event.lane for item in items if isinstance(item.event, Personal)}
        if not lanes:
            return []
        query = {"lane": {"$in": sorted(lanes)}}
        documents = [d async for d in self._collection.find(query, {"lane": 1, "at": 1, "n": 1})]
        return [Unfinished(d["_id"], d["lane"]) for d in sorted(documents, key=_order)]

    async def put_back(self, item: Delivered, at: datetime) -> None:
        """Give up the lease of an event, if it is still ours, and make it due at `at`."""
        await self._collection.update_one(
            {"_id": item.id, "lease": item.lease}, {"$set": {"due_at": at}, "$unset": {"lease": ""}}
        )

    async def complete(self, key: str, now: datetime) -> None:
        """Take an event out of the queue because it was worked off; it is remembered to recognise duplicates."""
        await self._complete((key, now))

    async def _complete_all(self, items: Sequence[tuple[str, datetime]]) -> Sequence[None]:
        keys, latest = [key for key, _ in items], max(now for _, now in items)
        await self._collection.update_many({"_id": {"$in": keys}}, {"$set": {"done_at": latest}, "$unset": _REST})
        return [None] * len(items)

    async def fail(self, item: Delivered, reason: str, now: datetime, again_at: datetime | None) -> None:
        """Record a failed attempt at an event, if it is still ours. None as `again_at` makes it a dead letter.

        Later events of its conversation no longer wait for it.
        """
        update: Document = {"$inc": {"tries": 1}, "$set": {"reason": reason}, "$unset": {"lease": "", "lane": ""}}
        if again_at:
            update["$set"]["due_at"] = again_at
        else:
            update["$set"]["dead_at"] = now
            update["$unset"]["due_at"] = ""
        await self._collection.update_one({"_id": item.id, "lease": item.lease}, update)


_REST = {"due_at": "", "lease": "", "lane": ""}
_count = count(1)


def document_of(event: Event, now: datetime) -> Document:
    """Build the stored form of an event.

    `n` keeps the order of events that came in the same millisecond. `lane` is present while later events wait for it.
    """
    item = msgspec.to_builtins(event, builtin_types=(datetime,))
    document = {"_id": event.dedupe_key, "event": item, "at": now, "n": next(_count), "due_at": now}
    return document | ({"lane": event.lane} if isinstance(event, Personal) else {})


def _order(document: Document) -> tuple[datetime, int]:
    return document["at"], document["n"]


class Dead(Struct, frozen=True):
    """A dead letter: an event that could not be worked on after all its tries, and why."""

    id: str
    event: Event
    dead_at: datetime
    reason: str = ""
    tries: int = 0


async def dead(db: Db, after: Place | None, now: datetime, limit: int) -> list[Dead]:
    """Return a page of the dead letters, the newest first."""
    return [
        from_document(Dead, document)
        for document in await newest.page(Order(db["inbox"], "dead_at"), after, now, limit)
    ]


async def count_dead(db: Db, most: int, since: datetime = EPOCH) -> int:
    """Count the dead letters since then, up to `most`."""
    return await newest.count(Order(db["inbox"], "dead_at", since=since), most)


async def revive(db: Db, keys: Sequence[str], now: datetime) -> Mapping[str, bool]:
    """Make dead events due again; see storage.documents.queue.revive."""
    return await queue.revive(db["inbox"], keys, now, {})

"""Notifications: the outbox."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from gateway.domain.model.identifier import Identifier
from gateway.domain.model.notification import Notification, Priority, Status, lane_of
from storage.documents import documents, newest, queue
from storage.documents.documents import Db, from_document
from storage.documents.newest import END, Order, Place
from storage.documents.queue import EPOCH


class Outbox:
    """The notifications that are due, by lanes."""

    def __init__(self, db: Db) -> None:
        self._collection = db["notifications"]
        self._due = queue.Due(self._collection)

    async def due(self, lane: str, now: datetime, limit: int) -> list[str]:
        """The ids of up to `limit` that are due in this lane, the oldest first."""
        return await self._due.ids(lane, now, limit)

    async def claim(self, ids: list[str], now: datetime, lease: timedelta) -> list[Notification]:
        """Take these, as far as they are still due, for the length of `lease`; in the order of acceptance."""
        documents = await queue.claim(self._collection, ids, now, lease)
        taken = [from_document(Notification, document) for document in documents]
        return sorted(taken, key=lambda notification: notification.accepted)

    async def rehome(self, known: Container[str]) -> None:
        """What waits for room at an account that has gone from the settings is looked at like anything else.

        Those lanes are named after an account, so they lie behind those of the priorities in the index.
        """
        found = self._collection.find({"lane": {"$gt": PRIORITIES}}, {"lane": 1, "_id": 0})
        for lane in {document["lane"] async for document in found if document["lane"] not in known}:
            priority = Priority(int(lane.rpartition("/")[2]))
            await self._collection.update_many({"lane": lane}, {"$set": {"lane": lane_of(priority)}})


PRIORITIES = "/9"
"""No lane of a priority comes after this, and every lane of an account does."""


class Ahead(Struct, frozen=True):
    """As much of another notification to the same person as tells whether it goes first."""

    id: str
    accepted: int = 0
    priority: Priority = Priority.NORMAL
    fifo: str | None = None
    lease: str | None = None
    due_at: datetime | None = None


async def of_person(db: Db, person: str) -> list[Ahead]:
    """All that is not settled yet for this person."""
    return await documents.find(db, "notifications", Ahead, "person", person, Ahead.__struct_fields__)


async def of_request(db: Db, field: Literal["group_id", "bulk_id"], value: str) -> list[str]:
    """The ids of all with this group or bulk id."""
    return [document["_id"] async for document in db["notifications"].find({field: value}, {"_id": 1})]


async def get(db: Db, key: str) -> Notification | None:
    return await documents.read(db, "notifications", Notification, key)


async def several(db: Db, keys: Iterable[str]) -> dict[str, Notification]:
    """Those of these that are remembered."""
    found = db["notifications"].find({"_id": {"$in": sorted(set(keys))}})
    return {document["_id"]: from_document(Notification, document) async for document in found}


async def count_new(db: Db, keys: Sequence[str]) -> int:
    """How many of these nobody has begun with."""
    found = db["notifications"].find({"_id": {"$in": [key for key in keys if key]}}, {"status": 1})
    return len([one async for one in found if one.get("status", Status.NEW) == Status.NEW])


def _dead(db: Db) -> Order:
    return Order(db["notifications"], "dead_at")


async def dead(db: Db, after: Place | None, now: datetime, limit: int) -> list[Notification]:
    """A page of those that ended by somebody's fault, the newest first."""
    return [from_document(Notification, document) for document in await newest.page(_dead(db), after, now, limit)]


async def count_dead(db: Db, most: int) -> int:
    """See storage.documents.newest.count."""
    return await newest.count(_dead(db), most)


class Found(Struct, frozen=True):
    """What finds messages by an index: the first name that is given, else a job, else when they were accepted."""

    group_id: str | None = None
    bulk_id: str | None = None
    job_id: str | None = None
    identifier: Identifier | None = None
    since: datetime = EPOCH
    until: datetime = END

    @property
    def named(self) -> tuple[str, str] | None:
        """The indexed field and its value."""
        fields = ("group_id", "bulk_id", "recipient.identifiers")
        given = zip(fields, (self.group_id, self.bulk_id, self.identifier), strict=True)
        return next(((field, value) for field, value in given if value), None)


async def accepted(db: Db, found: Found, after: Place | None, now: datetime, limit: int) -> list[Notification]:
    """A page of those that were accepted in this time, the newest first.

    Of a name's messages, which are a request's or a person's, all ids are read: an index that also has the time would
    hold every message there is.
    """
    if found.named is None:
        by, where = ("job_at", {"job_id": found.job_id}) if found.job_id else ("created_at", dict[str, str]())
        order = Order(db["notifications"], by, where, found.since, found.until)
        return [from_document(Notification, document) for document in await newest.page(order, after, now, limit)]
    ids = [key for at, key in await _places(db, found) if after is None or (at, key) < (after.at, after.id)][:limit]
    documents = {one["_id"]: one async for one in db["notifications"].find({"_id": {"$in": ids}})}
    return [from_document(Notification, documents[key]) for key in ids if key in documents]


async def _places(db: Db, found: Found) -> list[tuple[datetime, str]]:
    """When each was accepted, and its id; the newest first."""
    field, value = found.named or ("_id", "")
    there = db["notifications"].find({field: value}, {"created_at": 1})
    places = [(document["created_at"], document["_id"]) async for document in there]
    return sorted(((at, key) for at, key in places if found.since <= at < found.until), reverse=True)

"""Notifications: the outbox, and the queries that find them."""

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
        """Return the ids of up to `limit` that are due in this lane, the oldest first."""
        return await self._due.ids(lane, now, limit)

    async def claim(self, ids: list[str], now: datetime, lease: timedelta) -> list[Notification]:
        """Claim those that are still due for the length of `lease`. Returns them in the order of acceptance."""
        documents = await queue.claim(self._collection, ids, now, lease)
        claimed = [from_document(Notification, document) for document in documents]
        return sorted(claimed, key=lambda notification: notification.accepted)

    async def rehome(self, lanes: Container[str]) -> None:
        """Move what waits in an account's lane that is not among `lanes` to the lane of its priority.

        That is for accounts no longer in the settings. Accounts' lanes come after those of priorities in the index.
        """
        waiting = self._collection.find({"lane": {"$gt": PRIORITIES}}, {"lane": 1, "_id": 0})
        for lane in {document["lane"] async for document in waiting if document["lane"] not in lanes}:
            priority = Priority(int(lane.rpartition("/")[2]))
            await self._collection.update_many({"lane": lane}, {"$set": {"lane": lane_of(priority)}})


PRIORITIES = "/9"
"""Every lane of a priority sorts before this, and every lane of an account after it."""


class Ahead(Struct, frozen=True):
    """The fields of another notification to the same person that decide whether it goes first."""

    id: str
    accepted: int = 0
    priority: Priority = Priority.NORMAL
    fifo: str | None = None
    lease: str | None = None
    due_at: datetime | None = None


async def of_person(db: Db, person: str) -> list[Ahead]:
    """Return all notifications of this person that are not complete."""
    return await documents.find(db, "notifications", Ahead, "person", person, Ahead.__struct_fields__)


async def of_request(db: Db, field: Literal["group_id", "bulk_id"], value: str) -> list[str]:
    """Return the ids of all with this group or bulk id."""
    return [document["_id"] async for document in db["notifications"].find({field: value}, {"_id": 1})]


async def oldest_due(db: Db, now: datetime, account: str = "") -> datetime | None:
    """Return since when the message has been due that could go and has been waiting longest; None if none waits.

    account: one (channel:name) whose own lanes are meant, where messages wait until it has room.
    """
    since = list[datetime]()
    for priority in Priority:
        query = {"lane": lane_of(priority, account), "due_at": {"$gt": EPOCH, "$lte": now}}
        since += [each["due_at"] async for each in db["notifications"].find(query).sort("due_at", 1).limit(1)]
    return min(since, default=None)


async def version(db: Db, key: str) -> int | None:
    """Return how often this notification has been changed; None if there is none."""
    document = await db["notifications"].find_one({"_id": key}, {"version": 1})
    return int(document.get("version", 0)) if document else None


async def versions(db: Db, keys: Iterable[str]) -> list[tuple[str, int]]:
    """Return how often each of these has been changed, as far as it is stored."""
    documents = db["notifications"].find({"_id": {"$in": sorted(set(keys))}}, {"version": 1})
    return sorted([(document["_id"], int(document.get("version", 0))) async for document in documents])


async def get(db: Db, key: str) -> Notification | None:
    """Return the notification of this id, or None."""
    return await documents.read(db, "notifications", Notification, key)


async def several(db: Db, keys: Iterable[str]) -> dict[str, Notification]:
    """Return those of these that are stored, by id."""
    documents = db["notifications"].find({"_id": {"$in": sorted(set(keys))}})
    return {document["_id"]: from_document(Notification, document) async for document in documents}


async def count_new(db: Db, keys: Sequence[str]) -> int:
    """Return how many of these nobody has begun to work on."""
    documents = db["notifications"].find({"_id": {"$in": [key for key in keys if key]}}, {"status": 1})
    return len([document async for document in documents if document.get("status", Status.NEW) == Status.NEW])


def _dead(db: Db, since: datetime = EPOCH) -> Order:
    return Order(db["notifications"], "dead_at", since=since)


async def dead(db: Db, after: Place | None, now: datetime, limit: int) -> list[Notification]:
    """Return a page of the dead letters, which failed by somebody's fault; the newest first."""
    return [from_document(Notification, document) for document in await newest.page(_dead(db), after, now, limit)]


async def count_dead(db: Db, most: int, since: datetime = EPOCH) -> int:
    """Return how many have failed since then, up to `most`; see storage.documents.newest.count."""
    return await newest.count(_dead(db, since), most)


class Person(Struct, frozen=True):
    """All names by which messages may have been sent to one person."""

    identifiers: tuple[Identifier, ...] = ()
    contacts: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    def is_recipient(self, notification: Notification) -> bool:
        """Tell whether a message is for this person, by whatever name it was sent."""
        recipient = notification.recipient
        return (
            not set(self.identifiers).isdisjoint(recipient.identifiers)
            or recipient.contact in self.contacts
            or recipient.session in self.sessions
        )

    @property
    def fields(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Return the indexed fields that may name the person, with the values that do."""
        names = ("recipient.identifiers", "recipient.contact", "recipient.session")
        return [pair for pair in zip(names, (self.identifiers, self.contacts, self.sessions), strict=True) if pair[1]]


class IndexQuery(Struct, frozen=True):
    """A query that an index answers: by the first name that is set, else by a job, else by the time of acceptance."""

    group_id: str | None = None
    bulk_id: str | None = None
    job_id: str | None = None
    person: Person | None = None
    since: datetime = EPOCH
    until: datetime = END

    @property
    def named(self) -> Sequence[tuple[str, Sequence[str]]]:
        """Return the indexed fields and their values, one of which a message has to have; none if no name is set."""
        if name := self.group_id or self.bulk_id:
            return [("group_id" if self.group_id else "bulk_id", [name])]
        return self.person.fields if self.person else []


async def page(db: Db, query: IndexQuery, after: Place | None, now: datetime, limit: int) -> list[Notification]:
    """Return a page of those that match the query, the newest first.

    By a name, which is a request's or a person's, all ids are read: an index that also has the time would hold every
    message there is.
    """
    if not query.named:
        by, where = ("job_at", {"job_id": query.job_id}) if query.job_id else ("created_at", dict[str, str]())
        order = Order(db["notifications"], by, where, query.since, query.until)
        return [from_document(Notification, document) for document in await newest.page(order, after, now, limit)]
    ids = [key for at, key in await _places(db, query) if after is None or (at, key) < (after.at, after.id)][:limit]
    documents = {document["_id"]: document async for document in db["notifications"].find({"_id": {"$in": ids}})}
    return [from_document(Notification, documents[key]) for key in ids if key in documents]


async def _places(db: Db, query: IndexQuery) -> list[tuple[datetime, str]]:
    """Return when each was accepted, and its id; the newest first."""
    places: set[tuple[datetime, str]] = set()
    for field, values in query.named:
        documents = db["notifications"].find({field: {"$in": sorted(values)}}, {"created_at": 1})
        places |= {(document["created_at"], document["_id"]) async for document in documents}
    return sorted(((at, key) for at, key in places if query.since <= at < query.until), reverse=True)

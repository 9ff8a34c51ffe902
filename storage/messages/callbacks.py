"""Calls to our callers that wait to be made: a queue in which those of one lane are made in order."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from pymongo.errors import BulkWriteError

from gateway.domain.model.notification import Notification
from storage.documents import newest, queue
from storage.documents.documents import Db, from_document, to_document
from storage.documents.newest import Order, Place
from storage.documents.trips import Document, Together, duplicates


class Call(Struct, frozen=True, omit_defaults=True):
    """One call: `body` goes to `url`. id: the event's, by which receivers know it again.

    lane: the message or the conversation whose calls are made in the order of `number`; gone when it is made or given
    up. at: since when it waits.
    """

    id: str
    lane: str
    number: int
    url: str
    body: str
    at: datetime
    due_at: datetime | None = None
    tries: int = 0
    lease: str | None = None
    reason: str = ""
    dead_at: datetime | None = None


async def add(db: Db, calls: Sequence[Call]) -> None:
    """Have them made; those that are known already stay as they are."""
    if not calls:
        return
    try:
        await db["callbacks"].insert_many([to_document(call) for call in calls], ordered=False)
    except BulkWriteError as error:
        duplicates(error)


async def untold(db: Db, limit: int) -> list[Notification]:
    """Messages with changes that are not in this queue yet."""
    found = db["notifications"].find({"untold": {"$gt": 0}}).limit(limit)
    return [from_document(Notification, document) async for document in found]


async def told(db: Db, notification: Notification) -> None:
    """Its changes, as far as they are known here, are in the queue."""
    same = {"$eq": ["$untold", notification.untold]}
    update = [{"$set": {"untold": {"$cond": [same, "$$REMOVE", "$untold"]}}}]
    await db["notifications"].update_one({"_id": notification.id}, update)


class Callbacks:
    """The calls that are due."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._collection = db["callbacks"]
        self._due = queue.Due(self._collection)
        self._ended = Together(self._all_ended)

    async def claim(self, now: datetime, lease: timedelta, limit: int) -> list[Call]:
        """Take calls that are due, for the length of `lease`."""
        documents = await queue.claim(self._collection, await self._due.ids(None, now, limit), now, lease)
        return sorted((from_document(Call, document) for document in documents), key=lambda call: call.number)

    async def before(self, call: Call) -> Call | None:
        """The first call of this lane, if it is an earlier one."""
        live = [from_document(Call, one) for one in await self._db.shared("callbacks").find("lane", call.lane)]
        first = min(live, key=lambda other: other.number, default=call)
        return first if first.number < call.number else None

    async def again(self, call: Call, at: datetime, reason: str = "", *, tried: bool = False) -> None:
        """Not now, but then, if it is still ours; its lane waits for it."""
        fields = {"due_at": at, "tries": call.tries + tried, "reason": reason or call.reason, "lease": "$$REMOVE"}
        ours = {"$eq": ["$lease", call.lease]}
        changed = {name: {"$cond": [ours, _literal(value), f"${name}"]} for name, value in fields.items()}
        await self._collection.update_one({"_id": call.id}, [{"$set": changed}])

    async def ended(self, call: Call, now: datetime, dead: str = "") -> None:
        """It was made, or given up because it is `dead`: the next one of its lane is due."""
        end = {"dead_at": now, "reason": dead} if dead else {"done_at": now}
        await self._collection.update_one({"_id": call.id}, {"$set": end, "$unset": _REST})
        await self._ended((call.lane, now))

    async def _all_ended(self, ends: Sequence[tuple[str, datetime]]) -> Sequence[None]:
        lanes, now = sorted({lane for lane, _ in ends}), max(at for _, at in ends)
        held = {"$gt": ["$lease", ""]}
        update = [{"$set": {"due_at": {"$cond": [held, "$due_at", {"$min": [now, "$due_at"]}]}}}]
        await self._collection.update_many({"lane": {"$in": lanes}}, update)
        return [None] * len(ends)


_REST = {"due_at": "", "lease": "", "lane": ""}


def _literal(value: object) -> object:
    return value if value == "$$REMOVE" else {"$literal": value}


async def dead(db: Db, after: Place | None, now: datetime, limit: int) -> list[Call]:
    """A page of those that were given up, the newest first."""
    order = Order(db["callbacks"], "dead_at")
    return [from_document(Call, {"lane": "", **document}) for document in await newest.page(order, after, now, limit)]


async def count_dead(db: Db, most: int) -> int:
    """See storage.documents.newest.count."""
    return await newest.count(Order(db["callbacks"], "dead_at"), most)


async def revived(db: Db, keys: Iterable[str], now: datetime) -> Mapping[str, bool]:
    """Have the dead ones among these made anew, each by itself. Which of them there are, and whether each was dead."""
    asked = db["callbacks"].find({"_id": {"$in": list(keys)}}, {"dead_at": 1})
    known = {document["_id"]: "dead_at" in document async for document in asked}
    still = {"$gt": ["$dead_at", queue.EPOCH]}  # what is missing is less
    fields: Document = {
        "due_at": now,
        "at": now,
        "tries": 0,
        "lane": {"$concat": ["replay:", "$_id"]},
        "dead_at": "$$REMOVE",
    }
    update = [{"$set": {name: {"$cond": [still, value, f"${name}"]} for name, value in fields.items()}}]
    await db["callbacks"].update_many({"_id": {"$in": list(known)}}, update)
    return known

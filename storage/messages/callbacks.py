"""The queue of callbacks (calls to our callers), in which the callbacks of one lane are made in order."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from gateway.domain.model.notification import Notification
from storage.documents import documents, newest, queue
from storage.documents.documents import Db, Together, from_document
from storage.documents.newest import Order, Place
from storage.documents.queue import EPOCH


class Call(Struct, frozen=True, omit_defaults=True):
    """One callback: `body` goes to `url`. `id` is the event's, by which receivers recognise a repetition.

    `lane` names the message or the conversation whose callbacks are made in the order of `number`; it is removed when
    the callback is made or given up. `at` is since when it waits.
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
    """Queue callbacks; those that are queued already stay as they are."""
    await documents.add(db, "callbacks", calls)


async def unqueued(db: Db, limit: int) -> list[Notification]:
    """Return up to `limit` messages with changes that are not in this queue yet."""
    documents = db["notifications"].find({"untold": {"$gt": 0}}).limit(limit)
    return [from_document(Notification, document) async for document in documents]


async def mark_queued(db: Db, notification: Notification) -> None:
    """Record that a message's changes are in the queue, unless it has changed further since it was read."""
    same = {"$eq": ["$untold", notification.untold]}
    update = [{"$set": {"untold": {"$cond": [same, "$$REMOVE", "$untold"]}}}]
    await db["notifications"].update_one({"_id": notification.id}, update)


class Callbacks:
    """The callbacks that are due, and what becomes of each."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._collection = db["callbacks"]
        self._due = queue.Due(self._collection)
        self._wake = Together(self._wake_lanes)

    async def claim(self, now: datetime, lease: timedelta, limit: int, own: set[str]) -> list[Call]:
        """Take up to `limit` callbacks that are due, for the length of `lease`. Returns them ordered by number.

        own: the ids that this process works on already, which it keeps under the lease that they have.
        """
        ids = [key for key in await self._due.ids(None, now, limit) if key not in own]
        documents = await queue.claim(self._collection, ids, now, lease)
        return sorted((from_document(Call, document) for document in documents), key=lambda call: call.number)

    async def earlier(self, call: Call) -> Call | None:
        """Return the first waiting callback of the lane if it comes before this one, else None."""
        documents = await self._db.shared("callbacks").find("lane", call.lane)
        live = [from_document(Call, document) for document in documents]
        first = min(live, key=lambda other: other.number, default=call)
        return first if first.number < call.number else None

    async def reschedule(self, call: Call, at: datetime, reason: str = "", *, tried: bool = False) -> None:
        """Put a callback off until `at`, if it is still ours; its lane waits for it. `tried` counts one more try."""
        fields = {"due_at": at, "tries": call.tries + tried, "reason": reason or call.reason, "lease": "$$REMOVE"}
        ours = {"$eq": ["$lease", call.lease]}
        update = {name: {"$cond": [ours, _literal(value), f"${name}"]} for name, value in fields.items()}
        await self._collection.update_one({"_id": call.id}, [{"$set": update}])

    async def complete(self, call: Call, now: datetime, dead: str = "") -> None:
        """Record that a callback was made, or given up for the reason `dead`. The next one of its lane becomes due."""
        end = {"dead_at": now, "reason": dead} if dead else {"done_at": now}
        await self._collection.update_one({"_id": call.id}, {"$set": end, "$unset": _REST})
        await self._wake((call.lane, now))

    async def _wake_lanes(self, ends: Sequence[tuple[str, datetime]]) -> Sequence[None]:
        lanes, now = sorted({lane for lane, _ in ends}), max(at for _, at in ends)
        held = {"$gt": ["$lease", ""]}
        update = [{"$set": {"due_at": {"$cond": [held, "$due_at", {"$min": [now, "$due_at"]}]}}}]
        await self._collection.update_many({"lane": {"$in": lanes}}, update)
        return [None] * len(ends)


_REST = {"due_at": "", "lease": "", "lane": ""}


def _literal(value: object) -> object:
    return value if value == "$$REMOVE" else {"$literal": value}


async def dead(db: Db, after: Place | None, now: datetime, limit: int) -> list[Call]:
    """Return a page of the callbacks that were given up, the newest first."""
    order = Order(db["callbacks"], "dead_at")
    return [from_document(Call, {"lane": "", **document}) for document in await newest.page(order, after, now, limit)]


async def count_dead(db: Db, most: int, since: datetime = EPOCH) -> int:
    """Count the dead callbacks since then, up to `most`."""
    return await newest.count(Order(db["callbacks"], "dead_at", since=since), most)


async def revive(db: Db, keys: Iterable[str], now: datetime) -> Mapping[str, bool]:
    """Requeue dead callbacks, each in a lane of its own; see storage.documents.queue.revive."""
    return await queue.revive(db["callbacks"], keys, now, {"at": now, "lane": {"$concat": ["replay:", "$_id"]}})

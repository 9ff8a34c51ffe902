"""Notifications: the outbox."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace
from pymongo.errors import BulkWriteError

from gateway.notification import Notification
from storage import changes, queue
from storage.database import Db, find, from_document, to_document
from storage.inbox import DUPLICATE


async def add(db: Db, notifications: Sequence[Notification]) -> None:
    """Accept; those whose id is there already are left as they are, so that this may be repeated."""
    documents = [to_document(replace(notification, version=1)) for notification in notifications]
    if not documents:
        return
    try:
        await db["notifications"].insert_many(documents, ordered=False)
    except BulkWriteError as error:
        details = error.details or {}
        if details.get("writeConcernErrors") or any(e["code"] != DUPLICATE for e in details.get("writeErrors", [])):
            raise


async def get(db: Db, key: str) -> Notification | None:
    return await find(db["notifications"], Notification, {"_id": key})


async def claim(db: Db, now: datetime, lease: timedelta, limit: int) -> list[Notification]:
    """Take notifications that are due, for the length of `lease`."""
    documents = await queue.claim(db["notifications"], now, lease, limit)
    return [from_document(Notification, document) for document in documents]


async def save(db: Db, notification: Notification) -> Notification | None:
    """See storage.changes.save."""
    return await changes.save(db["notifications"], notification)


async def change(
    db: Db, key: str, step: Callable[[Notification], Notification | None], known: Notification | None = None
) -> Notification | None:
    """See storage.changes.change; one that is not there stays so."""

    def guarded(notification: Notification | None) -> Notification | None:
        return step(notification) if notification else None

    return await changes.change(db["notifications"], Notification, key, guarded, known)

"""Writes of notifications: for `gateway.messages.delivery.recording` alone, which tells whoever watches of them."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from gateway.domain.model.notification import Notification
from storage.documents import documents
from storage.documents.documents import Db


async def add(db: Db, notifications: Sequence[Notification]) -> None:
    """Store new notifications; those whose id is there already are left as they are, so that this may be repeated."""
    rows = [replace(notification, version=1) for notification in notifications]
    await documents.add(db, "notifications", rows)


async def save(db: Db, notification: Notification) -> Notification | None:
    """Store a notification that was read at its version. Returns None if it has changed since."""
    return await documents.save(db, "notifications", notification)


async def change(
    db: Db, key: str, step: Callable[[Notification], Notification | None], cached: Notification | None = None
) -> Notification | None:
    """Apply `step` to a notification; see storage.documents.documents.change. One that is not there stays so."""
    return await documents.update(db, "notifications", Notification, key, step, cached)

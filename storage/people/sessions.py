"""Sessions: the conversations with people, one for each address."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from gateway.domain.model.nouns import Contact, Session
from storage.documents import documents
from storage.documents.documents import Db, from_document
from storage.documents.newest import Order, Place, count, page

DEEPEST = 8
"""The most moves that are followed."""


async def get(db: Db, session: str) -> Session | None:
    """Return the conversation of this id, wherever it has moved, or None."""
    return await _follow(db, session, lambda _: True)


async def here(db: Db, session: str) -> Session | None:
    """Return the conversation that is at this address, by any name of the place; None if it has moved away."""
    return await _follow(db, session, lambda left: left.moved_at is None)


async def _follow(db: Db, key: str, goes_on: Callable[[Session], bool]) -> Session | None:
    for _ in range(DEEPEST):
        session = await at_address(db, key)
        if session is None or session.moved_to is None:
            return session
        if not goes_on(session):
            return None
        key = replace(session.address, user=session.moved_to).key
    return None


async def at_address(db: Db, key: str) -> Session | None:
    """Return what is stored under this id, also where the conversation has moved away."""
    return await documents.read(db, "sessions", Session, key)


async def leave(db: Db, session: Session, to: str, at: datetime | None) -> bool:
    """Replace a session by a pointer to where it has moved. Returns False if it has changed since it was read."""
    pointer = Session(session.id, session.address, moved_to=to, moved_at=at, version=session.version)
    return await documents.save(db, "sessions", pointer) is not None


async def change(db: Db, session: str, step: Callable[[Session | None], Session | None]) -> Session | None:
    """Apply `step` to a session; see storage.documents.documents.change."""
    return await documents.change(db, "sessions", Session, session, step)


async def of_contact(db: Db, contact: Contact) -> list[Session]:
    """Return all conversations with one person."""
    found = await asyncio.gather(*(documents.find(db, "sessions", Session, "contact", key) for key in contact.ids))
    return [session for sessions in found for session in sessions]


async def latest(db: Db, after: Place | None, now: datetime, limit: int) -> list[Session]:
    """Return a page of all conversations, the latest first."""
    order = Order(db["sessions"], "active_at")
    return [from_document(Session, document) for document in await page(order, after, now, limit)]


async def unseen(db: Db, after: Place | None, now: datetime, limit: int) -> list[Session]:
    """Return a page of the conversations that no operator has seen all of, the latest to become so first."""
    order = Order(db["sessions"], "unseen_from")
    return [from_document(Session, document) for document in await page(order, after, now, limit)]


async def count_unseen(db: Db, most: int) -> int:
    """Return how many conversations no operator has seen all of, up to `most`; see storage.documents.newest.count."""
    return await count(Order(db["sessions"], "unseen_from"), most)


async def forget(db: Db, session: Session) -> None:
    """Delete a session that was made for nothing; if something has happened in it meanwhile, it stays."""
    await db["sessions"].delete_one({"_id": session.id, "version": session.version})

"""Sessions: the conversations with people, one for each address."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from gateway.domain.model.nouns import Contact, Session
from storage.documents import documents
from storage.documents.documents import Db, from_document
from storage.documents.newest import Order, Place, page


async def get(db: Db, session: str) -> Session | None:
    """Return the session of this id, or None."""
    return await documents.read(db, "sessions", Session, session)


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


async def forget(db: Db, session: Session) -> None:
    """Delete a session that was made for nothing; if something has happened in it meanwhile, it stays."""
    await db["sessions"].delete_one({"_id": session.id, "version": session.version})

"""Sessions and contacts."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from pymongo.errors import DuplicateKeyError

from gateway.domain.model.nouns import Contact, Session
from storage.documents import changes
from storage.documents.codec import from_document, to_document
from storage.documents.newest import Order, Place, page
from storage.engine.database import Db

DEEPEST = 8
"""So many merges are followed; a circle, which two at the same moment could make, ends there."""


async def get(db: Db, session: str) -> Session | None:
    return await changes.read(db.shared("sessions"), Session, session)


async def change(db: Db, session: str, step: Callable[[Session | None], Session | None]) -> Session | None:
    """See storage.documents.changes.change."""
    return await changes.change(db.shared("sessions"), Session, session, step)


async def of_contact(db: Db, contact: Contact) -> list[Session]:
    """All conversations with one person."""
    found = await asyncio.gather(
        *(db.shared("sessions").find("contact", key) for key in (contact.id, *contact.aliases))
    )
    return [from_document(Session, document) for documents in found for document in documents]


async def latest(db: Db, after: Place | None, now: datetime, limit: int) -> list[Session]:
    """A page of all conversations, the latest first."""
    order = Order(db["sessions"], "active_at")
    return [from_document(Session, document) for document in await page(order, after, now, limit)]


async def forget(db: Db, session: Session) -> None:
    """It was made for nothing; if something has happened in it meanwhile, it stays."""
    await db["sessions"].delete_one({"_id": session.id, "version": session.version})


async def contact(db: Db, **query: str) -> Contact | None:
    """The person with this `id`, `phone`, `external_id` or `start_code`; also by those of a contact merged into it."""
    ((name, value),) = query.items()
    for _ in range(DEEPEST):
        found = await db.shared("contacts").find("_id" if name == "id" else name, value)
        person = from_document(Contact, found[0]) if found else None
        if person is None or person.merged_into is None:
            return person
        name, value = "id", person.merged_into
    return None


async def join(
    db: Db, now: datetime, *, phone: str | None = None, external_id: str | None = None, own: str | None = None
) -> Contact | None:
    """The person with this phone number and this external id, made or completed where needed.

    `own` is the id of the one whom it is to be if nobody has these names yet. None where the names belong to
    different people already: that is for a person to decide.
    """
    known = {name: value for name, value in (("phone", phone), ("external_id", external_id)) if value}
    for _ in range(4):  # others may make or complete the same person at the same moment: what is there then counts
        found = {name: person for name, value in known.items() if (person := await contact(db, **{name: value}))}
        if len({person.id for person in found.values()}) > 1:
            return None
        person = next(iter(found.values()), None) or (await contact(db, id=own) if own else None)
        lacking = {name: value for name, value in known.items() if name not in found}
        if person and not lacking:
            return person
        if person and any(getattr(person, name) not in {None, value} for name, value in lacking.items()):
            return None
        with suppress(DuplicateKeyError):
            await (_complete(db, person.id, lacking) if person else _create(db, now, known))
    return None


async def _create(db: Db, now: datetime, known: Mapping[str, Any]) -> None:
    person = Contact(id=uuid4().hex, start_code=token_urlsafe(16), created_at=now, **known)
    await db["contacts"].insert_one(to_document(person))


async def _complete(db: Db, key: str, known: Mapping[str, Any]) -> None:
    """Add the names that are not there yet; a name that is there stays."""
    names = {name: {"$ifNull": [f"${name}", {"$literal": value}]} for name, value in known.items()}
    await db["contacts"].update_one({"_id": key}, [{"$set": names}])

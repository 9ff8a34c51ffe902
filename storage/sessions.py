"""Sessions and contacts."""

from collections.abc import Callable, Mapping
from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from pymongo.errors import DuplicateKeyError

from gateway.model import Contact, Session
from storage import changes
from storage.database import Db, find, from_document, to_document


async def get(db: Db, session: str) -> Session | None:
    return await find(db["sessions"], Session, {"_id": session})


async def change(db: Db, session: str, step: Callable[[Session | None], Session | None]) -> Session | None:
    """See storage.changes.change."""
    return await changes.change(db["sessions"], Session, session, step)


async def of_contact(db: Db, contact: str) -> list[Session]:
    """All conversations with one person."""
    return [from_document(Session, document) async for document in db["sessions"].find({"contact": contact})]


async def contact(db: Db, **query: str) -> Contact | None:
    """The person with this `id`, `phone`, `external_id` or `start_code`."""
    return await find(db["contacts"], Contact, {"_id" if key == "id" else key: value for key, value in query.items()})


async def join(db: Db, now: datetime, *, phone: str | None = None, external_id: str | None = None) -> Contact | None:
    """The person with this phone number and this external id, made or completed where needed.

    None where the two belong to different people already: that is for a person to decide.
    """
    known = {name: value for name, value in (("phone", phone), ("external_id", external_id)) if value}
    for _ in range(3):  # another process may make the same person at the same moment
        found = [person for name, value in known.items() if (person := await contact(db, **{name: value}))]
        if len({person.id for person in found}) > 1:
            return None
        if found and all(getattr(found[0], name) == value for name, value in known.items()):
            return found[0]
        if found and any(getattr(found[0], name) not in {None, value} for name, value in known.items()):
            return None
        try:
            return await _complete(db, found[0].id, known) if found else await _create(db, now, known)
        except DuplicateKeyError:
            continue
    return None


async def _create(db: Db, now: datetime, known: Mapping[str, Any]) -> Contact:
    person = Contact(id=uuid4().hex, start_code=token_urlsafe(16), created_at=now, **known)
    await db["contacts"].insert_one(to_document(person))
    return person


async def _complete(db: Db, key: str, known: Mapping[str, Any]) -> Contact | None:
    await db["contacts"].update_one({"_id": key}, {"$set": dict(known)})
    return await contact(db, id=key)

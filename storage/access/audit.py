"""The audit: who did what, when, and from where. Its entries are added, and never changed."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from gateway.domain.model.act import Act
from storage.documents import newest
from storage.documents.documents import Db, from_document, to_document
from storage.documents.newest import Order, Place

Door = Literal["page", "api", "shell"]


class Entry(Struct, frozen=True, omit_defaults=True):
    """One act. who: a user's e-mail, an API key's name, or an account in the shell. address: from where they called.

    target: the id of what was acted upon; name: what people call it. before, after: what has changed of it, by field.
    """

    id: str
    at: datetime
    who: str
    door: Door
    act: Act
    address: str = ""
    target: str = ""
    name: str = ""
    before: dict[str, str] = {}
    after: dict[str, str] = {}


class Filter(Struct, frozen=True, omit_defaults=True):
    """Which entries are wanted."""

    who: str | None = None
    act: Act | None = None
    target: str | None = None


async def add(db: Db, entry: Entry) -> None:
    """Store an entry."""
    await db["audit"].insert_one(to_document(entry))


async def page(db: Db, wanted: Filter, after: Place | None, now: datetime, limit: int) -> list[Entry]:
    """Return a page of entries, the newest first."""
    documents = await newest.page(Order(db["audit"], "at", to_document(wanted)), after, now, limit)
    return [from_document(Entry, document) for document in documents]

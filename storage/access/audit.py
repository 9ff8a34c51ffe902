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


async def page(
    db: Db, wanted: Filter, after: Place | None, now: datetime, limit: int
) -> tuple[list[Entry], Place | None]:
    """Return a page of entries, the newest first, and where the next one begins; None if this is the last.

    An index answers by one name. Of several, the others are looked for among up to LOOKED_AT entries of a page, so that
    it may have few of them, or none, and not be the last.
    """
    names = {name: value for name in NAMES if (value := getattr(wanted, name)) is not None}
    order = Order(db["audit"], "at", dict(list(names.items())[:1]))
    several, found, looked = len(names) > 1, list[Entry](), 0
    while True:
        size = BATCH if several else limit
        entries = [from_document(Entry, document) for document in await newest.page(order, after, now, size)]
        looked += len(entries)
        for entry in entries:
            after = Place(entry.at, entry.id)
            if all(getattr(entry, name) == value for name, value in names.items()):
                found.append(entry)
                if len(found) == limit:
                    return found, after
        if len(entries) < size:
            return found, None
        if looked >= LOOKED_AT:
            return found, after


NAMES = ("target", "who", "act")
"""The names by which entries are found, the one with the fewest entries first."""

BATCH, LOOKED_AT = 200, 2000

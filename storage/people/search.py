"""Search: people and conversations by the beginning of a name, and by the end of a number."""

from typing import Literal, TypeVar

from gateway.domain.model.nouns import Contact, Session
from storage.documents.documents import Db, from_document

Field = Literal["name_key", "phone_tail"]
T = TypeVar("T", Contact, Session)

ABOVE_ALL = "\U0010ffff"
"""What no character is sorted behind."""


async def contacts(db: Db, field: Field, key: str, most: int) -> list[Contact]:
    """Return up to so many contacts whose field begins with this key."""
    return await _find(db, "contacts", Contact, field, key, most)


async def sessions(db: Db, field: Field, key: str, most: int) -> list[Session]:
    """Return up to so many conversations whose field begins with this key."""
    return await _find(db, "sessions", Session, field, key, most)


async def _find(db: Db, collection: str, kind: type[T], field: Field, key: str, most: int) -> list[T]:
    documents = db[collection].find({field: {"$gte": key, "$lt": f"{key}{ABOVE_ALL}"}}).limit(most)
    return [from_document(kind, document) async for document in documents]

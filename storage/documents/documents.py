"""Documents: the one face of what is stored. Our values go in and come out, and callers share trips to the database.

Changes are optimistic: a value is read, a pure function says what it becomes, and it is written if nobody was faster.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.model.job import Job
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Session
from storage.documents.trips import Collection, Document, Shared, Swap

T = TypeVar("T", bound=Struct)
V = TypeVar("V", Session, Notification, Job)
TRIES = 100


class Db:
    """One database, by a connection of this process. `db[name]` is a collection as the driver has it."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self.client, self.name = client, name
        self._database = client.get_database(name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))
        self._shared: dict[str, Shared] = {}

    def __getitem__(self, collection: str) -> Collection:
        return self._database[collection]

    def shared(self, collection: str) -> Shared:
        """Return a collection for looks and writes that many make at the same time."""
        if collection not in self._shared:
            self._shared[collection] = Shared(self[collection])
        return self._shared[collection]


def to_document(value: Struct) -> Document:
    """Return a value as a document: `id` becomes `_id`, defaults are left out, lengths of time become ISO 8601."""
    document: Document = msgspec.to_builtins(value, builtin_types=(datetime,))
    if "id" in document:
        document["_id"] = document.pop("id")
    return document


def from_document(kind: type[T], document: Document) -> T:
    """Return the value that a document holds; fields that it does not know are passed over."""
    if "_id" in document:
        document = {**document, "id": document["_id"]}
    return msgspec.convert(document, kind)


async def get(db: Db, collection: str, key: str) -> Document | None:
    """Return the document with this `_id` as it is stored, or None."""
    return await db.shared(collection).get(key)


async def read(db: Db, collection: str, kind: type[T], key: str) -> T | None:
    """Return the value under this key, or None."""
    document = await db.shared(collection).get(key)
    return from_document(kind, document) if document else None


async def find(
    db: Db, collection: str, kind: type[T], field: str, value: object, wanted: Sequence[str] = ()
) -> list[T]:
    """Return the values that have this in an indexed field; `wanted`: as much of each as is needed."""
    return [from_document(kind, document) for document in await db.shared(collection).find(field, value, wanted)]


async def several(db: Db, collection: str, kind: type[T], keys: Sequence[str]) -> list[T]:
    """Return the values under these keys, as far as there are any."""
    return [from_document(kind, document) for document in await db.shared(collection).several(keys)]


async def insert(db: Db, collection: str, value: Struct) -> bool:
    """Store a new value. False if there is one with its id, or with one of its unique values, already."""
    return await db.shared(collection).insert(to_document(value))


class Contended(Exception):
    """Others kept changing the same document faster than we could."""


async def update(
    db: Db, collection: str, kind: type[V], key: str, step: Callable[[V], V | None], known: V | None = None
) -> V | None:
    """Apply `step` to the value under `key`, as `change` does; where there is none, nothing is stored."""
    return await change(db, collection, kind, key, lambda old: step(old) if old else None, known)


async def change(
    db: Db, collection: str, kind: type[V], key: str, step: Callable[[V | None], V | None], known: V | None = None
) -> V | None:
    """Apply `step` to the value under `key` (None if there is none) and store the outcome, which is returned.

    `step` may be called several times. It returns None to leave things as they are. `known` is the value as it was
    read before, which saves a look where nobody has changed it since.
    """
    for _ in range(TRIES):
        old = known or await read(db, collection, kind, key)
        known = None
        new = step(old)
        if new is None or new == old:
            return old
        stored = await save(db, collection, new)
        if stored is not None:
            return stored
    raise Contended(key)


async def save(db: Db, collection: str, value: V) -> V | None:
    """Store a value that was read at its version (0: was not there). Returns None if it has changed since."""
    new = replace(value, version=value.version + 1)
    if value.version == 0:
        return new if await insert(db, collection, new) else None
    swap = Swap("version", value.version, to_document(new))
    return new if await db.shared(collection).swap(swap) else None

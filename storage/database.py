"""The connection, the indexes, and how our values become documents and come back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import msgspec
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from msgspec import Struct
from pymongo import ASCENDING, IndexModel
from pymongo.errors import PyMongoError

Document = dict[str, Any]
Db = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]
T = TypeVar("T", bound=Struct)
P = ParamSpec("P")
R = TypeVar("R")

DatabaseError = PyMongoError
"""Anything that goes wrong between us and MongoDB. Callers tell it as "try again later"."""

EVENTS_KEPT = timedelta(days=8)
"""A worked-off event is remembered longer than any provider repeats one (WhatsApp: 7 days)."""

REQUESTS_KEPT = timedelta(days=1)
"""How long an Idempotency-Key is remembered."""


def _queue() -> list[IndexModel]:
    """A due queue: fields that are there only while something is due, so the indexes hold live work only."""
    return [IndexModel([("due_at", ASCENDING)], sparse=True), IndexModel([("lease", ASCENDING)], sparse=True)]


def _kept(field: str, length: timedelta) -> IndexModel:
    return IndexModel([(field, ASCENDING)], expireAfterSeconds=int(length.total_seconds()))


INDEXES: Mapping[str, list[IndexModel]] = {
    "inbox": [*_queue(), _kept("done_at", EVENTS_KEPT)],
    "notifications": _queue(),
    "sessions": [IndexModel([("contact", ASCENDING)], sparse=True)],
    "contacts": [
        IndexModel([(field, ASCENDING)], unique=True, sparse=True) for field in ("phone", "external_id", "start_code")
    ],
    "requests": [_kept("at", REQUESTS_KEPT)],
}


def connect(uri: str, name: str, patience: timedelta = timedelta(seconds=5)) -> Db:
    """A database handle; nothing is sent yet. Operations fail when no server was found for `patience`.

    Writes wait for a majority, times come back aware and in UTC.
    """
    milliseconds = int(patience.total_seconds() * 1000)
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        uri,
        w="majority",
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=5000,
        socketTimeoutMS=20_000,
        appname="gateway",
    )
    return client.get_database(name, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))


async def prepare(db: Db) -> None:
    """Make sure of the indexes. May be repeated."""
    for collection, indexes in INDEXES.items():
        await db[collection].create_indexes(indexes)


async def ping(db: Db) -> None:
    """Raise DatabaseError unless the database answers."""
    await db.client.admin.command("ping")


def to_document(value: Struct) -> Document:
    """A value as a document: `id` becomes `_id`, defaults are left out, lengths of time become ISO 8601."""
    document: Document = msgspec.to_builtins(value, builtin_types=(datetime,))
    if "id" in document:
        document["_id"] = document.pop("id")
    return document


def from_document(kind: type[T], document: Document) -> T:
    """The value that a document holds; fields that it does not know are passed over."""
    fields = {"id" if key == "_id" else key: value for key, value in document.items()}
    return msgspec.convert(fields, kind)


async def find(collection: Collection, kind: type[T], query: Mapping[str, Any]) -> T | None:
    """The one document that matches, or None."""
    document = await collection.find_one(query)
    return from_document(kind, document) if document else None


async def insist(write: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do a write that must not be given up lightly: the database has half a minute to come back.

    Only for writes that may be repeated, which are those found by their `_id`.
    """
    for pause in INSIST:
        try:
            return await write(*args, **kwargs)
        except PyMongoError:
            await asyncio.sleep(pause)
    return await write(*args, **kwargs)


INSIST = (0.2, 0.5, 1, 2, 4, 8, 8, 8)
"""Seconds between the tries."""

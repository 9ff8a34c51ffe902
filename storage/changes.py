"""Optimistic changes: read a value, let a pure function say what it becomes, write it if nobody was faster.

The condition stands in the update's pipeline and not in its filter, so that the filter is the bare `_id`, which is
the fastest look-up there is on every server that we run on.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec.structs import replace
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from gateway.model import Session
from gateway.notification import Notification
from storage.database import Collection, Document, find, from_document, to_document

V = TypeVar("V", Session, Notification)
TRIES = 100


class Contended(Exception):
    """Others kept changing the same document faster than we could."""


async def change(
    collection: Collection, kind: type[V], key: str, step: Callable[[V | None], V | None], known: V | None = None
) -> V | None:
    """Apply `step` to the value under `key` (None if there is none) and store the outcome.

    `step` may be called several times. It returns None to leave things as they are. `known` is the value as it was
    read before, which saves a look where nobody has changed it since.
    """
    for _ in range(TRIES):
        old = known or await find(collection, kind, {"_id": key})
        known = None
        new = step(old)
        if new is None or new == old:
            return old
        stored = await save(collection, new)
        if stored is not None:
            return stored
    raise Contended(key)


async def change_all(collection: Collection, kind: type[V], keys: list[str], step: Callable[[V], V]) -> list[V]:
    """Apply `step` to each value there is under these keys, in two operations where nobody else changes them."""
    documents = [document async for document in collection.find({"_id": {"$in": keys}})]
    pairs = [(old, step(old)) for old in (from_document(kind, document) for document in documents)]
    written = [(old, replace(new, version=old.version + 1)) for old, new in pairs if new != old]
    if not written:
        return [new for _, new in pairs]
    swaps = [UpdateOne({"_id": old.id}, swap(old.version, to_document(new))) for old, new in written]
    result = await collection.bulk_write(swaps, ordered=False)
    if result.modified_count == len(swaps):
        stored = {new.id: new for _, new in written}
        return [stored.get(new.id, new) for _, new in pairs]
    again = [await change(collection, kind, old.id, lambda value: step(value) if value else None) for old, _ in pairs]
    return [value for value in again if value]


async def save(collection: Collection, value: V) -> V | None:
    """Store a value that was read at its version (0: was not there). None if it has changed since."""
    new = replace(value, version=value.version + 1)
    if value.version == 0:
        return new if await _insert(collection, to_document(new)) else None
    result = await collection.update_one({"_id": value.id}, swap(value.version, to_document(new)))
    return new if result.modified_count else None


def swap(version: int, document: Document) -> list[Mapping[str, Any]]:
    """An update that puts `document` in place of one that still has this version."""
    unchanged = {"$eq": ["$version", version]}
    return [{"$replaceWith": {"$cond": [unchanged, {"$literal": document}, "$$ROOT"]}}]


async def _insert(collection: Collection, document: Document) -> bool:
    try:
        await collection.insert_one(document)
    except DuplicateKeyError:
        return False
    return True

"""Optimistic changes: read a value, let a pure function say what it becomes, write it if nobody was faster."""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from gateway.domain.model.job import Job
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Session
from storage.documents.codec import from_document, to_document
from storage.documents.shared import Shared, Swap

V = TypeVar("V", Session, Notification, Job)
TRIES = 100


class Contended(Exception):
    """Others kept changing the same document faster than we could."""


async def change(
    shared: Shared, kind: type[V], key: str, step: Callable[[V | None], V | None], known: V | None = None
) -> V | None:
    """Apply `step` to the value under `key` (None if there is none) and store the outcome.

    `step` may be called several times. It returns None to leave things as they are. `known` is the value as it was
    read before, which saves a look where nobody has changed it since.
    """
    for _ in range(TRIES):
        old = known or await read(shared, kind, key)
        known = None
        new = step(old)
        if new is None or new == old:
            return old
        stored = await save(shared, new)
        if stored is not None:
            return stored
    raise Contended(key)


async def read(shared: Shared, kind: type[V], key: str) -> V | None:
    """The value under this key."""
    document = await shared.get(key)
    return from_document(kind, document) if document else None


async def save(shared: Shared, value: V) -> V | None:
    """Store a value that was read at its version (0: was not there). None if it has changed since."""
    new = replace(value, version=value.version + 1)
    if value.version == 0:
        return new if await shared.insert(to_document(new)) else None
    return new if await shared.swap(Swap("version", value.version, to_document(new))) else None

"""Documents: stores and reads our values as documents, and lets callers share trips to the database.

A trip costs much, one more document in it little: requests that arrive during a trip go together in the next one, as
one find for many keys, one insert_many, and one update_many for many swaps. Changes are optimistic: a value is read, a
pure function returns its successor, and that is written if nobody was faster.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from secrets import token_hex
from typing import Any, Generic, TypeVar

import msgspec
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.int64 import Int64
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorGridFSBucket
from msgspec import Struct
from msgspec.structs import replace
from pymongo.errors import BulkWriteError, ConnectionFailure

from gateway.domain.model.job import Job
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Contact, Session

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]

DUPLICATE = 11000
"""MongoDB's error code for a document that exists already."""

A = TypeVar("A")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T", bound=Struct)
V = TypeVar("V", Contact, Session, Notification, Job)
TRIES = 100


MOST = 50
"""The most questions in one trip: with more, the first would wait for the last."""


class Together(Generic[A, R]):
    """Batches questions: callers that ask during a trip share the next one.

    `serve` answers many questions at once, in their order. A single caller is served at once.

    A caller that was cancelled does not affect the others; nor does one whose question fails: then each is served
    separately. `serve` has to tolerate the same question twice.
    """

    def __init__(self, serve: Callable[[Sequence[A]], Awaitable[Sequence[R]]], most: int = MOST) -> None:
        self._serve = serve
        self._most = most
        self._waiting: list[tuple[A, asyncio.Future[R]]] = []
        self._trips: asyncio.Task[None] | None = None

    async def __call__(self, question: A) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._trips is None or self._trips.done():
            self._trips = asyncio.create_task(self._all_trips())
        return await answer

    async def _all_trips(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._trip(batch)

    async def _trip(self, batch: Sequence[tuple[A, "asyncio.Future[R]"]]) -> None:
        try:
            answers = await self._serve([question for question, _ in batch])
        except ConnectionFailure as error:
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, each caller has to get it
            if len(batch) == 1:
                _fail(batch, error)
            else:
                for alone in batch:
                    await self._trip([alone])
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _fail(batch: Sequence[tuple[A, "asyncio.Future[R]"]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)


MARK = "by"
"""The field that names the last swap of a document."""


@dataclass(frozen=True)
class Swap:
    """A replacement of the document with the same `_id`, if that still has `old` in `field`."""

    field: str
    old: object
    document: Document


class Shared:
    """One collection, in which the single reads and writes of many callers share trips.

    A read sees everything that was written before it was requested.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._finds: dict[tuple[str, ...], Together[Any, list[Document]]] = {}
        self._several = Together(self._find_each)
        self._inserts = Together(self._insert_all)
        self._swaps: dict[str, Together[Swap, bool]] = {}

    async def find(self, field: str, value: object, fields: Sequence[str] = ()) -> list[Document]:
        """Return the documents that have this value in this (indexed) field; `fields`: only these fields of them."""
        key = (field, *fields)
        if key not in self._finds:
            self._finds[key] = Together(
                partial(self._find_all, field, dict.fromkeys((*fields, field), 1) if fields else None)
            )
        return await self._finds[key](value)

    async def get(self, key: str) -> Document | None:
        """Return the document with this `_id`, or None."""
        return next(iter(await self.find("_id", key)), None)

    async def several(self, keys: Sequence[str]) -> list[Document]:
        """Return the documents with these `_id`s, in their order. All keys count as one question."""
        return await self._several(keys) if keys else []

    async def insert(self, document: Document) -> bool:
        """Insert a document. Returns False if one with this `_id`, or with its unique value, exists already."""
        return await self._inserts(document)

    async def swap(self, swap: Swap) -> bool:
        """Replace a document. Returns False if it was changed or deleted meanwhile."""
        if swap.field not in self._swaps:
            self._swaps[swap.field] = Together(self._swap_all)
        return await self._swaps[swap.field](swap)

    async def _find_all(
        self, field: str, projection: Mapping[str, int] | None, values: Sequence[Any]
    ) -> Sequence[list[Document]]:
        by_value: defaultdict[Any, list[Document]] = defaultdict(list)
        async for document in self._collection.find({field: {"$in": sorted(set(values))}}, projection):
            content = document[field]
            for value in content if isinstance(content, list) else [content]:
                by_value[value].append(document)
        return [by_value[value] for value in values]

    async def _find_each(self, questions: Sequence[Sequence[str]]) -> Sequence[list[Document]]:
        ids = sorted({key for keys in questions for key in keys})
        documents = {document["_id"]: document async for document in self._collection.find({"_id": {"$in": ids}})}
        return [[documents[key] for key in keys if key in documents] for keys in questions]

    async def _insert_all(self, documents: Sequence[Document]) -> Sequence[bool]:
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            existing = duplicates(error)
            return [index not in existing for index in range(len(documents))]
        return [True] * len(documents)

    async def _swap_all(self, swaps: Sequence[Swap]) -> Sequence[bool]:
        """Swap all. Each writes its own mark, so that afterwards it is known whose write succeeded."""
        keys, trip = [swap.document["_id"] for swap in swaps], token_hex(8)
        marked = [{**swap.document, MARK: f"{trip}{index}"} for index, swap in enumerate(swaps)]
        update = _swapping(swaps[0].field, [swap.old for swap in swaps], marked)
        result = await self._collection.update_many({"_id": {"$in": sorted(set(keys))}}, update)
        if result.modified_count in {0, len(swaps)}:
            return [bool(result.modified_count)] * len(swaps)
        marks = {document.get(MARK) async for document in self._collection.find({"_id": {"$in": keys}}, {MARK: 1})}
        return [document[MARK] in marks for document in marked]


def duplicates(error: BulkWriteError) -> set[int]:
    """Return the indexes of the documents that existed already. Raises the error again if anything else went wrong."""
    details = error.details or {}
    problems = details.get("writeErrors", [])
    if not problems or details.get("writeConcernErrors") or any(problem["code"] != DUPLICATE for problem in problems):
        raise error
    return {problem["index"] for problem in problems}


def _swapping(field: str, old: Sequence[object], new: Sequence[Document]) -> list[Mapping[str, Any]]:
    """Return one update for all swaps: each document finds its own among them.

    The conditions stand in the pipeline and not in the filter, so that the filter is the bare `_id`, which is the
    fastest look-up on every server that we run on.
    """
    place = {"$indexOfArray": [{"$literal": [document["_id"] for document in new]}, "$_id"]}
    expected, replacement = ({"$arrayElemAt": [{"$literal": list(values)}, "$$place"]} for values in (old, new))
    swapped = {"$cond": [{"$eq": [f"${field}", expected]}, replacement, "$$ROOT"]}
    return [{"$replaceWith": {"$let": {"vars": {"place": place}, "in": swapped}}}]


class PlainIntegers(TypeDecoder):
    """Reads integers of 64 bits as Python's own: msgspec cannot write the driver's kind of them."""

    bson_type = Int64

    def transform_bson(self, value: int) -> int:
        return int(value)


CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC, type_registry=TypeRegistry([PlainIntegers()]))


class Db:
    """One database, by a connection of this process. `db[name]` is the driver's collection."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self.client, self.name = client, name
        self._database = client.get_database(name, codec_options=CODEC)
        self._shared: dict[str, Shared] = {}

    def __getitem__(self, collection: str) -> Collection:
        return self._database[collection]

    def bucket(self, name: str) -> AsyncIOMotorGridFSBucket:
        """Return a bucket of GridFS: the bytes of files, in pieces."""
        return AsyncIOMotorGridFSBucket(self._database, name)

    def shared(self, collection: str) -> Shared:
        """Return a collection whose concurrent reads and writes share trips."""
        if collection not in self._shared:
            self._shared[collection] = Shared(self[collection])
        return self._shared[collection]


def to_document(value: Struct) -> Document:
    """Return a value as a document: `id` becomes `_id`, defaults are left out, lengths of time become ISO 8601.

    What people are looked for by is derived from them, and stored with them.
    """
    document: Document = msgspec.to_builtins(value, builtin_types=(datetime,))
    if isinstance(value, Session | Contact):
        document |= value.sought
    if "id" in document:
        document["_id"] = document.pop("id")
    return document


def from_document(kind: type[T], document: Document) -> T:
    """Return the value that a document holds; unknown fields are ignored."""
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
    db: Db, collection: str, kind: type[T], field: str, value: object, fields: Sequence[str] = ()
) -> list[T]:
    """Return the values that have this value in an indexed field; `fields`: read only these fields of them."""
    return [from_document(kind, document) for document in await db.shared(collection).find(field, value, fields)]


async def several(db: Db, collection: str, kind: type[T], keys: Sequence[str]) -> list[T]:
    """Return the values under these keys, as far as there are any."""
    return [from_document(kind, document) for document in await db.shared(collection).several(keys)]


async def insert(db: Db, collection: str, value: Struct) -> bool:
    """Store a new value. Returns False if one with its id, or with one of its unique values, exists already."""
    return await db.shared(collection).insert(to_document(value))


async def swap(db: Db, collection: str, document: Document, field: str, old: object) -> bool:
    """Replace the document with the same `_id` that has `old` in `field`; None: insert it. Returns False if late."""
    if old is None:
        return await db.shared(collection).insert(document)
    return await db.shared(collection).swap(Swap(field, old, document))


PORTION = 100
"""Values that are stored together: more would keep everything else in the process waiting."""


def in_portions(values: Sequence[S], size: int) -> Iterator[Sequence[S]]:
    """Yield the values by so many at a time, in order."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


async def add(db: Db, collection: str, values: Sequence[Struct]) -> None:
    """Store values; existing ones with the same id stay as they are, so that this may be repeated."""
    for portion in in_portions(values, PORTION):
        try:
            await db[collection].insert_many([to_document(value) for value in portion], ordered=False)
        except BulkWriteError as error:
            duplicates(error)


class Contended(Exception):
    """Others kept changing the same document faster than we could."""


async def update(
    db: Db, collection: str, kind: type[V], key: str, step: Callable[[V], V | None], cached: V | None = None
) -> V | None:
    """Apply `step` to the value under `key`, as `change` does; if there is none, store nothing and return None."""
    return await change(db, collection, kind, key, lambda old: step(old) if old else None, cached)


async def change(
    db: Db, collection: str, kind: type[V], key: str, step: Callable[[V | None], V | None], cached: V | None = None
) -> V | None:
    """Apply `step` to the value under `key` (None if there is none) and store the result. Returns the stored value.

    `step` may be called several times. It returns None to change nothing. `cached` is the value as it was read before,
    which saves a read if nobody has changed it since. Raises Contended.
    """
    for _ in range(TRIES):
        old = cached or await read(db, collection, kind, key)
        cached = None
        new = step(old)
        if new is None or new == old:
            return old
        stored = await save(db, collection, new)
        if stored is not None:
            return stored
    raise Contended(key)


async def save(db: Db, collection: str, value: V) -> V | None:
    """Store a value that was read at its version (0: new). Returns it as stored, or None if it has changed since.

    None may also come of a change that was stored, if another in the same trip failed: read it again. Raises
    DuplicateKeyError if somebody else has one of its unique values; None, where it is new.
    """
    new = replace(value, version=value.version + 1)
    if value.version == 0:
        return new if await insert(db, collection, new) else None
    swap = Swap("version", value.version, to_document(new))
    return new if await db.shared(collection).swap(swap) else None

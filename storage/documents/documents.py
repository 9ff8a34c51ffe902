"""Documents: the one face of what is stored. Our values go in and come out, and callers share trips to the database.

A trip costs much, a document more in it little: what is asked for while one is under way goes together in the next, as
one find for many keys, one insert_many, and one update_many for many swaps. Changes are optimistic: a value is read, a
pure function says what it becomes, and it is written if nobody was faster.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from secrets import token_hex
from typing import Any, Generic, TypeVar

import msgspec
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from msgspec import Struct
from msgspec.structs import replace
from pymongo.errors import BulkWriteError, ConnectionFailure

from gateway.domain.model.job import Job
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Session

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]

DUPLICATE = 11000
"""The code of the error that tells of a document which is there already."""

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T", bound=Struct)
V = TypeVar("V", Session, Notification, Job)
TRIES = 100


MOST = 50
"""Questions in one trip: more would make the first wait for the last."""


class Together(Generic[A, R]):
    """Have callers that ask while others are being served share the next trip.

    `serve` answers many questions at once, in their order. Alone, a caller is served at once.

    A caller who has gone away does not disturb the others; neither does one whose question breaks: then each is served
    by itself. `serve` has to bear being asked the same again.
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
        except Exception as error:  # noqa: BLE001 - whatever it is, each of them has to hear it
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
    """Put `document` in the place of the one with its `_id`, if that has `old` in `field` still."""

    field: str
    old: object
    document: Document


class Shared:
    """One collection, in which the single looks and writes of many callers share trips.

    What is asked for while a trip is under way sees all that was written before it was asked for.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._finds: dict[tuple[str, ...], Together[Any, list[Document]]] = {}
        self._several = Together(self._find_each)
        self._inserts = Together(self._insert_all)
        self._swaps: dict[str, Together[Swap, bool]] = {}

    async def find(self, field: str, value: object, wanted: Sequence[str] = ()) -> list[Document]:
        """Return the documents that have this value in this (indexed) field; `wanted`: only these fields of them."""
        key = (field, *wanted)
        if key not in self._finds:
            self._finds[key] = Together(
                partial(self._find_all, field, dict.fromkeys((*wanted, field), 1) if wanted else None)
            )
        return await self._finds[key](value)

    async def get(self, key: str) -> Document | None:
        """Return the document with this `_id`, or None."""
        return next(iter(await self.find("_id", key)), None)

    async def several(self, keys: Sequence[str]) -> list[Document]:
        """Return those with one of these `_id`s, in their order: one question, however many keys it has."""
        return await self._several(keys) if keys else []

    async def insert(self, document: Document) -> bool:
        """Insert a document. False if there is one with this `_id`, or with its unique value, already."""
        return await self._inserts(document)

    async def swap(self, swap: Swap) -> bool:
        """Put a document in the place of the old one. False if that was changed meanwhile, or has gone."""
        if swap.field not in self._swaps:
            self._swaps[swap.field] = Together(self._swap_all)
        return await self._swaps[swap.field](swap)

    async def _find_all(
        self, field: str, wanted: Mapping[str, int] | None, values: Sequence[Any]
    ) -> Sequence[list[Document]]:
        found: defaultdict[Any, list[Document]] = defaultdict(list)
        async for document in self._collection.find({field: {"$in": sorted(set(values))}}, wanted):
            held = document[field]
            for value in held if isinstance(held, list) else [held]:
                found[value].append(document)
        return [found[value] for value in values]

    async def _find_each(self, asked: Sequence[Sequence[str]]) -> Sequence[list[Document]]:
        wanted = sorted({key for keys in asked for key in keys})
        found = {document["_id"]: document async for document in self._collection.find({"_id": {"$in": wanted}})}
        return [[found[key] for key in keys if key in found] for keys in asked]

    async def _insert_all(self, documents: Sequence[Document]) -> Sequence[bool]:
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            there = duplicates(error)
            return [index not in there for index in range(len(documents))]
        return [True] * len(documents)

    async def _swap_all(self, swaps: Sequence[Swap]) -> Sequence[bool]:
        """Each leaves its mark in what it writes, so that it is known afterwards whose write that was."""
        keys, trip = [swap.document["_id"] for swap in swaps], token_hex(8)
        marked = [{**swap.document, MARK: f"{trip}{index}"} for index, swap in enumerate(swaps)]
        update = _swapping(swaps[0].field, [swap.old for swap in swaps], marked)
        result = await self._collection.update_many({"_id": {"$in": sorted(set(keys))}}, update)
        if result.modified_count in {0, len(swaps)}:
            return [bool(result.modified_count)] * len(swaps)
        marks = {found.get(MARK) async for found in self._collection.find({"_id": {"$in": keys}}, {MARK: 1})}
        return [document[MARK] in marks for document in marked]


def duplicates(error: BulkWriteError) -> set[int]:
    """Which of the documents were there already. Raises the error again if anything else went wrong."""
    details = error.details or {}
    problems = details.get("writeErrors", [])
    if not problems or details.get("writeConcernErrors") or any(one["code"] != DUPLICATE for one in problems):
        raise error
    return {one["index"] for one in problems}


def _swapping(field: str, old: Sequence[object], new: Sequence[Document]) -> list[Mapping[str, Any]]:
    """The update that does them all: each document looks for its own among them.

    The conditions stand in the pipeline and not in the filter, so that the filter is the bare `_id`, which is the
    fastest look-up there is on every server that we run on.
    """
    place = {"$indexOfArray": [{"$literal": [document["_id"] for document in new]}, "$_id"]}
    theirs, ours = ({"$arrayElemAt": [{"$literal": list(values)}, "$$place"]} for values in (old, new))
    swapped = {"$cond": [{"$eq": [f"${field}", theirs]}, ours, "$$ROOT"]}
    return [{"$replaceWith": {"$let": {"vars": {"place": place}, "in": swapped}}}]


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


async def swap(db: Db, collection: str, document: Document, field: str, old: object) -> bool:
    """Put a document in the place of the one with its `_id` that has `old` in `field` (None: there is none yet)."""
    if old is None:
        return await db.shared(collection).insert(document)
    return await db.shared(collection).swap(Swap(field, old, document))


async def add(db: Db, collection: str, values: Sequence[Struct]) -> None:
    """Store values; those whose id is there already are left as they are, so that this may be repeated."""
    if not values:
        return
    try:
        await db[collection].insert_many([to_document(value) for value in values], ordered=False)
    except BulkWriteError as error:
        duplicates(error)


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

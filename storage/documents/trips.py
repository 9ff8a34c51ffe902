"""Trips to the database, shared by their callers: what is asked for while one is under way goes together in the next.

A trip costs much, a document more in it little: one find for many keys, one insert_many, and one update_many for many
swaps, which is half the work of as many update_ones, or less.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from typing import Any, Generic, TypeVar

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import BulkWriteError, ConnectionFailure

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]

DUPLICATE = 11000
"""The code of the error that tells of a document which is there already."""

A = TypeVar("A")
R = TypeVar("R")

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

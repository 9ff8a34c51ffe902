"""Opt-outs: a document for each name of a person and kind, with the log of who said so and when. Kept for ever."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from pymongo import UpdateOne

from storage.documents import documents, newest
from storage.documents.documents import Db, from_document
from storage.documents.newest import Order, Place


class Word(Struct, frozen=True):
    """A line of the log. out: no more, or again."""

    at: datetime
    by: str
    out: bool
    reason: str = ""


class OptOut(Struct, frozen=True):
    """`name`: phone:…, contact:… or session:…; `at`: since when; gone (`out` is false) when they have come back."""

    id: str
    name: str
    kind: str
    at: datetime
    by: str
    reason: str = ""
    out: bool = True
    log: list[Word] = []


async def of(db: Db, keys: Sequence[str]) -> list[OptOut]:
    """Those of these that hold."""
    return [one for one in await all_of(db, keys) if one.out]


async def all_of(db: Db, keys: Sequence[str]) -> list[OptOut]:
    """Those of these that were ever said."""
    return await documents.several(db, "optouts", OptOut, keys)


async def out(db: Db, wanted: Sequence[OptOut]) -> None:
    """They hold from now on, since the first time that it was said."""
    if wanted:
        await db["optouts"].bulk_write([_out(one) for one in wanted], ordered=False)


def _out(one: OptOut) -> UpdateOne:
    held = {"$eq": ["$out", True]}
    fields = {"name": one.name, "kind": one.kind, "at": one.at, "by": one.by, "reason": one.reason}
    kept = {field: {"$cond": [held, f"${field}", {"$literal": value}]} for field, value in fields.items()}
    line = {"at": one.at, "by": one.by, "out": True, "reason": one.reason}
    return UpdateOne({"_id": one.id}, [{"$set": {**kept, "out": True, "log": _with(line)}}], upsert=True)


async def back(db: Db, keys: Sequence[str], at: datetime, by: str) -> None:
    """They hold no longer; the log stays."""
    line = {"at": at, "by": by, "out": False, "reason": ""}
    await db["optouts"].update_many({"_id": {"$in": list(keys)}}, [{"$set": {"out": False, "log": _with(line)}}])


def _with(line: dict[str, object]) -> object:
    """The log with this line, once."""
    log = {"$ifNull": ["$log", []]}
    told = {"$literal": line}
    return {"$cond": [{"$in": [told, log]}, log, {"$concatArrays": [log, [told]]}]}


async def page(db: Db, after: Place | None, now: datetime, limit: int) -> list[OptOut]:
    """All that were ever said, the newest first."""
    return [from_document(OptOut, one) for one in await newest.page(Order(db["optouts"], "at"), after, now, limit)]

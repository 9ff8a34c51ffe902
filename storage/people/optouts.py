"""Opt-outs: a document for each name of a person and kind, with a log of who said so and when. Never deleted."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from pymongo import UpdateOne

from storage.documents import documents, newest
from storage.documents.documents import Db, from_document
from storage.documents.newest import Order, Place


class Word(Struct, frozen=True):
    """A line of the log. out: True for an opt-out, False for an opt-in."""

    at: datetime
    by: str
    out: bool
    reason: str = ""


class OptOut(Struct, frozen=True):
    """name: phone:…, contact:… or session:…. at: since when. out: False once the person has opted in again."""

    id: str
    name: str
    kind: str
    at: datetime
    by: str
    reason: str = ""
    out: bool = True
    log: list[Word] = []


async def find_active(db: Db, keys: Sequence[str]) -> list[OptOut]:
    """Return the opt-outs under these keys that are active."""
    return [optout for optout in await several(db, keys) if optout.out]


async def several(db: Db, keys: Sequence[str]) -> list[OptOut]:
    """Return the opt-outs under these keys, active or not."""
    return await documents.several(db, "optouts", OptOut, keys)


async def opt_out(db: Db, optouts: Sequence[OptOut]) -> None:
    """Make these active. One that is active already keeps its time and author; the log gets a line."""
    if optouts:
        await db["optouts"].bulk_write([_activate(optout) for optout in optouts], ordered=False)


def _activate(optout: OptOut) -> UpdateOne:
    active = {"$eq": ["$out", True]}
    fields = {"name": optout.name, "kind": optout.kind, "at": optout.at, "by": optout.by, "reason": optout.reason}
    values = {field: {"$cond": [active, f"${field}", {"$literal": value}]} for field, value in fields.items()}
    line = {"at": optout.at, "by": optout.by, "out": True, "reason": optout.reason}
    return UpdateOne({"_id": optout.id}, [{"$set": {**values, "out": True, "log": _append(line)}}], upsert=True)


async def opt_in(db: Db, keys: Sequence[str], at: datetime, by: str) -> None:
    """Make these inactive; the log gets a line and stays."""
    line = {"at": at, "by": by, "out": False, "reason": ""}
    await db["optouts"].update_many({"_id": {"$in": list(keys)}}, [{"$set": {"out": False, "log": _append(line)}}])


def _append(line: dict[str, object]) -> object:
    """Return the expression for the log with this line, once."""
    log = {"$ifNull": ["$log", []]}
    literal = {"$literal": line}
    return {"$cond": [{"$in": [literal, log]}, log, {"$concatArrays": [log, [literal]]}]}


async def page(db: Db, after: Place | None, now: datetime, limit: int) -> list[OptOut]:
    """Return a page of all opt-outs, active or not, the newest first."""
    documents = await newest.page(Order(db["optouts"], "at"), after, now, limit)
    return [from_document(OptOut, document) for document in documents]

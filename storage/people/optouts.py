"""Opt-outs: a document for each name of a person and kind, with a log of who said so and when. Never deleted.

Whether it holds is stored with the log, in one write, which only succeeds if nobody else has written meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from gateway.domain.terms.consent import Word, heard, standing
from storage.documents import documents, newest
from storage.documents.documents import TRIES, Contended, Db, from_document, to_document
from storage.documents.newest import Order, Place


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


async def say(db: Db, name: str, kind: str, key: str, word: Word) -> None:
    """Add a line to the log under this key, once, and store whether the opt-out holds by now. Raises Contended."""
    for _ in range(TRIES):
        stored = await documents.get(db, "optouts", key)
        old = from_document(OptOut, stored) if stored else None
        log = heard(old.log if old else [], word)
        if old and log == old.log:
            return
        document = to_document(_judged(key, name, kind, log))
        if await documents.swap(db, "optouts", document, "log", stored["log"] if stored else None):
            return
    raise Contended(key)


def _judged(key: str, name: str, kind: str, log: Sequence[Word]) -> OptOut:
    """Return the opt-out with this log. It is since the first line that holds, or else that of the last one said."""
    holding = standing(log)
    word = next(iter(holding), None) or max((word for word in log if word.out), key=lambda word: word.at)
    return OptOut(key, name, kind, word.at, word.by, word.reason, out=bool(holding), log=list(log))


async def page(db: Db, after: Place | None, now: datetime, limit: int) -> list[OptOut]:
    """Return a page of all opt-outs, active or not, the newest first."""
    documents = await newest.page(Order(db["optouts"], "at"), after, now, limit)
    return [from_document(OptOut, document) for document in documents]

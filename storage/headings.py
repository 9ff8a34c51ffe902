"""What headings of files mean, where somebody has said so by hand: the next file with the same needs no hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import UpdateOne

from storage.documents.documents import Db


async def remember(db: Db, names: Mapping[str, str], now: datetime) -> None:
    """Remember what headings mean (a field or a variable), in any case. The last word counts."""
    updates = [
        UpdateOne({"_id": heading.casefold()}, {"$set": {"name": name, "at": now}}, upsert=True)
        for heading, name in names.items()
    ]
    if updates:
        await db["headings"].bulk_write(updates, ordered=False)


async def recall(db: Db, headings: Sequence[str]) -> Mapping[str, str]:
    """Return what is remembered of these headings."""
    keys = sorted({heading.casefold() for heading in headings})
    known = {found["_id"]: found["name"] async for found in db["headings"].find({"_id": {"$in": keys}})}
    return {heading: known[heading.casefold()] for heading in headings if heading.casefold() in known}

"""When each account, template and person is free to be written to again. Small documents, found by their ids.

`free_at` is a date for the sake of its index, `n` the same to the microsecond, which a date here cannot hold.
"""

from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from storage.database import Db

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


async def known(db: Db, key: str) -> datetime | None:
    """When it is free again; None if it has not been heard of for long."""
    document = await db["paces"].find_one({"_id": key}, {"n": 1})
    return EPOCH + document["n"] * MICROSECOND if document else None


async def swap(db: Db, key: str, old: datetime | None, new: datetime) -> bool:
    """Put `new` in place of `old`. False if another process was faster."""
    document = {"free_at": new, "n": (new - EPOCH) // MICROSECOND}
    if old is None:
        try:
            await db["paces"].insert_one({"_id": key, **document})
        except DuplicateKeyError:
            return False
        return True
    unchanged = {"$eq": ["$n", (old - EPOCH) // MICROSECOND]}
    update = [{"$set": {name: {"$cond": [unchanged, value, f"${name}"]} for name, value in document.items()}}]
    return bool((await db["paces"].update_one({"_id": key}, update)).modified_count)

"""When each account, template and person is free to be written to again. Small documents, found by their ids.

`free_at` is a date for the sake of its index, `n` the same to the microsecond, which a date here cannot hold.
"""

from datetime import UTC, datetime, timedelta

from storage.documents.shared import Swap
from storage.engine.database import Db

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


async def known(db: Db, key: str) -> datetime | None:
    """When it is free again; None if it has not been heard of for long."""
    document = await db.shared("rate_limits").get(key)
    return EPOCH + document["n"] * MICROSECOND if document else None


async def swap(db: Db, key: str, old: datetime | None, new: datetime) -> bool:
    """Put `new` in place of `old`. False if another process was faster."""
    document = {"_id": key, "free_at": new, "n": (new - EPOCH) // MICROSECOND}
    if old is None:
        return await db.shared("rate_limits").insert(document)
    return await db.shared("rate_limits").swap(Swap("n", (old - EPOCH) // MICROSECOND, document))

"""The state of the rate limiter: when each account, template and person is free to be written to again.

These are small documents, found by their ids. `free_at` is a date for the sake of its index; `n` is the same moment in
microseconds since 1970, because MongoDB's dates hold no more than milliseconds.
"""

from datetime import UTC, datetime, timedelta

from storage.documents.documents import Db
from storage.documents.trips import Swap

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


async def free_at(db: Db, key: str) -> datetime | None:
    """Return when this key is free again; None if nothing is stored for it."""
    document = await db.shared("rate_limits").get(key)
    return EPOCH + document["n"] * MICROSECOND if document else None


async def swap(db: Db, key: str, old: datetime | None, new: datetime) -> bool:
    """Put `new` in place of `old` (None: nothing is stored yet). Returns False if another process was faster."""
    document = {"_id": key, "free_at": new, "n": (new - EPOCH) // MICROSECOND}
    if old is None:
        return await db.shared("rate_limits").insert(document)
    return await db.shared("rate_limits").swap(Swap("n", (old - EPOCH) // MICROSECOND, document))

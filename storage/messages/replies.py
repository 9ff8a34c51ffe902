"""What buttons' short ids stand for, see gateway.domain.channel.replies."""

from collections.abc import Mapping
from datetime import datetime

from pymongo import UpdateOne

from storage.documents.documents import Db, get


async def keep(db: Db, replies: Mapping[str, str], now: datetime) -> None:
    """Store what these stand for, or store that they were used again."""
    updates = [
        UpdateOne({"_id": key}, {"$set": {"reply": reply}, "$max": {"used_at": now}}, upsert=True)
        for key, reply in replies.items()
    ]
    if updates:
        await db["replies"].bulk_write(updates, ordered=False)


async def find(db: Db, key: str) -> str | None:
    """Return the reply that this stands for; None if nobody knows any more."""
    document = await get(db, "replies", key)
    return str(document["reply"]) if document else None

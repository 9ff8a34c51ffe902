"""The due queue: `due_at` says when a document wants attention, `lease` who gives it, until when is `due_at` again.

A worker that dies gives nothing back; its lease runs out and `due_at` comes round. find_one_and_update is not used:
a batch costs three operations whatever its size.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from storage.database import Collection, Document

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def claim(collection: Collection, now: datetime, lease: timedelta, limit: int) -> list[Document]:
    """Take up to `limit` documents that are due, exactly one taker each, for the length of `lease`."""
    due = {"due_at": {"$gt": EPOCH, "$lte": now}}
    ids = [document["_id"] async for document in collection.find(due, {"_id": 1}).limit(limit)]
    if not ids:
        return []
    token = uuid4().hex
    still_due = {"$lte": ["$due_at", now]}
    await collection.update_many(
        {"_id": {"$in": ids}},
        [
            {
                "$set": {
                    "lease": {"$cond": [still_due, token, "$lease"]},
                    "due_at": {"$cond": [still_due, now + lease, "$due_at"]},
                    "version": {"$cond": [still_due, {"$add": [{"$ifNull": ["$version", 0]}, 1]}, "$version"]},
                }
            }
        ],
    )
    return [document async for document in collection.find({"lease": token})]

"""Jobs, and the batches of rows that they are made of."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from gateway.domain.model.job import Batch, Job, waiting_lane, watched_lane
from storage.documents import documents, newest, queue
from storage.documents.documents import Db, from_document, to_document
from storage.documents.newest import Order, Place
from storage.documents.trips import Swap, duplicates


async def save(db: Db, job: Job) -> Job | None:
    """Store one that was read at its version (0: it is new). None if it has changed since."""
    return await documents.save(db, "jobs", job)


async def get(db: Db, key: str) -> Job | None:
    return await documents.read(db, "jobs", Job, key)


async def listed(db: Db, after: Place | None, now: datetime, limit: int) -> list[Job]:
    """A page of them, the newest first."""
    found = await newest.page(Order(db["jobs"], "created_at"), after, now, limit)
    return [from_document(Job, document) for document in found]


async def live(db: Db) -> list[Job]:
    """Those that workers have to look after, the oldest first."""
    found = db["jobs"].find({"live_from": {"$gt": queue.EPOCH}})
    return sorted([from_document(Job, one) async for one in found], key=lambda job: job.live_from or queue.EPOCH)


async def delete(db: Db, job: Job) -> bool:
    """With all its rows; its messages stay. False if it has changed since it was read."""
    if not await save(db, replace(job, state="deleted")):
        return False
    for collection in ("batches", "addressees"):
        await db[collection].delete_many({"job": job.id})
    await db["jobs"].delete_one({"_id": job.id})
    return True


async def add_batches(db: Db, batches: Sequence[Batch]) -> None:
    """Those that are there already stay as they are."""
    try:
        await db["batches"].insert_many([to_document(batch) for batch in batches], ordered=False)
    except BulkWriteError as error:
        duplicates(error)


async def begin(db: Db, job: Job, now: datetime) -> None:
    """All batches of the job's files are to be handed over, in their order. May be repeated."""
    begun, ended = {"lane": waiting_lane(job.id), "looks": 0}, {"done_at": "", "lease": ""}
    changes = [
        UpdateOne({"_id": key}, {"$set": {**begun, "due_at": now + timedelta(milliseconds=number)}, "$unset": ended})
        for number, key in enumerate(job.batches)
    ]
    for start in range(0, len(changes), AT_ONCE):
        await db["batches"].bulk_write(changes[start : start + AT_ONCE], ordered=False)


AT_ONCE = 1000


async def hurry(db: Db, job: Job, now: datetime) -> None:
    """Have all that is under way looked at now."""
    held = {"$gt": ["$lease", ""]}
    update = [{"$set": {"due_at": {"$cond": [held, "$due_at", {"$min": [now, "$due_at"]}]}}}]
    await db["batches"].update_many({"lane": watched_lane(job.id)}, update)


async def is_open(db: Db, job: str) -> bool:
    """Has it batches that have not ended?"""
    return await db["batches"].find_one({"job": job, "lane": {"$gt": f"{job}/"}}, {"_id": 1}) is not None


async def tallies(db: Db, job: str) -> AsyncIterator[tuple[Mapping[str, int], int]]:
    """Of each batch its messages by status, and how many of its rows have led to none."""
    async for found in db["batches"].find({"job": job}, {"counts": 1, "faults": 1}):
        yield found.get("counts", {}), len(found.get("faults", {}))


async def batches(db: Db, keys: Sequence[str]) -> list[Batch]:
    """Those of these that there are, in this order."""
    found = {one["_id"]: one async for one in db["batches"].find({"_id": {"$in": list(keys)}})}
    return [from_document(Batch, found[key]) for key in keys if key in found]


async def addressed(db: Db, job: str, rows: Mapping[str, str]) -> Mapping[str, str]:
    """Give each person (by name) to a row, unless they are another's already; whose each is then."""
    wanted = [{"_id": f"{job}:{person}", "job": job, "row": row} for person, row in rows.items()]
    if not wanted:
        return {}
    try:
        await db["addressees"].insert_many(wanted, ordered=False)
    except BulkWriteError as error:
        duplicates(error)
    found = db["addressees"].find({"_id": {"$in": [one["_id"] for one in wanted]}})
    return {document["_id"].removeprefix(f"{job}:"): document["row"] async for document in found}


class Batches:
    """The batches that are due, by lanes."""

    def __init__(self, db: Db) -> None:
        self._collection, self._shared = db["batches"], db.shared("batches")
        self._due = queue.Due(self._collection)

    async def claim(self, lane: str, now: datetime, lease: timedelta, limit: int) -> list[Batch]:
        """Take up to so many for the length of `lease`, in their order."""
        documents = await queue.claim(self._collection, await self._due.ids(lane, now, limit), now, lease)
        return sorted((from_document(Batch, one) for one in documents), key=lambda batch: batch.number)

    async def put(self, batch: Batch) -> None:
        """Store it and let go of it, if it is still ours."""
        await self._shared.swap(Swap("lease", batch.lease, to_document(replace(batch, lease=None))))

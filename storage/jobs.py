"""Jobs, and the batches of rows that they consist of."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from gateway.domain.model.job import (
    REFUSED_ROWS,
    Batch,
    Job,
    Reason,
    RefusedRows,
    batch_id,
    waiting_lane,
    watched_lane,
)
from storage.documents import documents, newest, queue
from storage.documents.documents import Db, Swap, duplicates, from_document, to_document
from storage.documents.newest import Order, Place


async def save(db: Db, job: Job) -> Job | None:
    """Store a job that was read at its version (0: it is new). Returns None if it has changed since."""
    return await documents.save(db, "jobs", job)


async def get(db: Db, key: str) -> Job | None:
    """Return the job with this id, or None."""
    return await documents.read(db, "jobs", Job, key)


async def page(db: Db, after: Place | None, now: datetime, limit: int) -> list[Job]:
    """Return a page of all jobs, the newest first."""
    documents = await newest.page(Order(db["jobs"], "created_at"), after, now, limit)
    return [from_document(Job, document) for document in documents]


async def live(db: Db) -> list[Job]:
    """Return the jobs that workers have to look after, the oldest first."""
    documents = db["jobs"].find({"live_from": {"$gt": queue.EPOCH}})
    jobs = [from_document(Job, document) async for document in documents]
    return sorted(jobs, key=lambda job: job.live_from or queue.EPOCH)


async def delete(db: Db, job: Job) -> bool:
    """Delete a job with all its rows; its messages stay. Returns False if it has changed since it was read."""
    if not await save(db, replace(job, state="deleted")):
        return False
    for collection in ("batches", "refused_rows", "job_files", "addressees"):
        await db[collection].delete_many({"job": job.id})
    await db["jobs"].delete_one({"_id": job.id})
    return True


async def add_batches(db: Db, batches: Sequence[Batch]) -> None:
    """Store batches; those that are stored already stay as they are."""
    await documents.add(db, "batches", batches)


async def add_refused(db: Db, rows: Sequence[RefusedRows]) -> None:
    """Store refused rows."""
    await documents.add(db, "refused_rows", rows)


async def drop_upload(db: Db, job: Job, upload: str) -> None:
    """Delete what is stored of an upload that the job does not refer to."""
    for collection in ("batches", "refused_rows", "job_files"):
        await db[collection].delete_many({"job": job.id, "upload": upload})


async def refused(db: Db, job: Job) -> AsyncIterator[RefusedRows]:
    """Yield the rows that were refused when the job's files were read, in the order of the files and their rows."""
    for upload in job.uploads:
        for number in range(-(-upload.refused // REFUSED_ROWS)):
            key = batch_id(job.id, upload.name, number)
            if found := await documents.read(db, "refused_rows", RefusedRows, key):
                yield found


async def refused_rows(db: Db, key: str) -> RefusedRows | None:
    """Return some rows that were refused when their file was read, or None."""
    return await documents.read(db, "refused_rows", RefusedRows, key)


async def with_faults(db: Db, job: Job) -> AsyncIterator[Batch]:
    """Yield the batches with rows that have led to no message, in the order of the files and their rows."""
    for key in job.batches:
        found = await documents.read(db, "batches", Batch, key)
        if found and found.faults:
            yield found


async def schedule_batches(db: Db, job: Job, now: datetime) -> None:
    """Make all batches of the job due for submission, in the order of its files. May be repeated."""
    fields, removed = {"lane": waiting_lane(job.id), "looks": 0}, {"done_at": "", "lease": ""}
    updates = [
        UpdateOne({"_id": key}, {"$set": {**fields, "due_at": now + timedelta(milliseconds=number)}, "$unset": removed})
        for number, key in enumerate(job.batches)
    ]
    for start in range(0, len(updates), BULK_WRITES):
        await db["batches"].bulk_write(updates[start : start + BULK_WRITES], ordered=False)


BULK_WRITES = 1000
"""How many updates share a trip to the database."""


async def recheck(db: Db, job: Job, now: datetime) -> None:
    """Make all batches that are under way due now, except those that a worker holds."""
    held = {"$gt": ["$lease", ""]}
    update = [{"$set": {"due_at": {"$cond": [held, "$due_at", {"$min": [now, "$due_at"]}]}}}]
    await db["batches"].update_many({"lane": watched_lane(job.id)}, update)


async def is_open(db: Db, job: str) -> bool:
    """Return whether a job has batches that have not ended."""
    return await db["batches"].find_one({"job": job, "lane": {"$gt": f"{job}/"}}, {"_id": 1}) is not None


class Counted(Struct, frozen=True):
    """What is known of a batch without its rows. The fields are those of Batch."""

    id: str
    size: int
    counts: Mapping[str, int] = {}
    faults: Mapping[str, str] = {}
    reasons: tuple[Reason, ...] = ()
    spent: dict[str, str] = {}
    first: int = 0
    submitted: int = 0
    submitted_at: datetime | None = None


COUNTED = {name: 1 for name in Counted.__struct_fields__ if name != "id"}


async def counted(db: Db, job: str) -> AsyncIterator[Counted]:
    """Yield what is known of each batch of a job, also of those that broken uploads left."""
    async for document in db["batches"].find({"job": job}, COUNTED):
        yield from_document(Counted, document)


async def digest(db: Db, job: str) -> Counter[str]:
    """Return how many of a job's messages have each status, and how many rows led to none, as they were counted."""
    counts = Counter[str]()
    async for document in db["batches"].find({"job": job}, {"counts": 1, "faults": 1}):
        counts.update(document.get("counts", {}))
        counts["faults"] += len(document.get("faults", {}))
    return counts


async def batches(db: Db, keys: Sequence[str]) -> list[Batch]:
    """Return the batches with these ids, in this order; unknown ids are left out."""
    documents = {document["_id"]: document async for document in db["batches"].find({"_id": {"$in": list(keys)}})}
    return [from_document(Batch, documents[key]) for key in keys if key in documents]


async def assign_addressees(db: Db, job: str, rows: Mapping[str, str]) -> Mapping[str, str]:
    """Assign each person of {person: row} to that row, unless another row has the person already.

    Returns {person: row} as it is stored then.
    """
    addressees = [{"_id": f"{job}:{person}", "job": job, "row": row} for person, row in rows.items()]
    if not addressees:
        return {}
    try:
        await db["addressees"].insert_many(addressees, ordered=False)
    except BulkWriteError as error:
        duplicates(error)
    stored = db["addressees"].find({"_id": {"$in": [addressee["_id"] for addressee in addressees]}})
    return {document["_id"].removeprefix(f"{job}:"): document["row"] async for document in stored}


class Batches:
    """The batches that are due, by lanes."""

    def __init__(self, db: Db) -> None:
        self._collection, self._shared = db["batches"], db.shared("batches")
        self._due = queue.Due(self._collection)

    async def claim(self, lane: str, now: datetime, lease: timedelta, limit: int) -> list[Batch]:
        """Take up to `limit` batches that are due, for the length of `lease`. Returns them ordered by number."""
        documents = await queue.claim(self._collection, await self._due.ids(lane, now, limit), now, lease)
        return sorted((from_document(Batch, document) for document in documents), key=lambda batch: batch.number)

    async def put(self, batch: Batch) -> None:
        """Store a batch and give up its lease, if it is still ours."""
        await self._shared.swap(Swap("lease", batch.lease, to_document(replace(batch, lease=None))))

"""Files that were given to jobs and whose rows are not theirs yet: they wait to be read, or for somebody's word.

A job has one at a time. Its bytes are stored before it, under a name of their own.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bson.binary import Binary
from msgspec import Struct

from storage.documents import documents, queue
from storage.documents.documents import Db, from_document, to_document

PIECE = 1024 * 1024
"""Bytes of a file that are stored together."""


class PendingFile(Struct, frozen=True, omit_defaults=True):
    """A file of a job (`id`). key: names its bytes; pieces: how many documents hold them. given_by: whom it is from.

    due_at, lease: while it is to be read. found: rows that were read so far. tries: what each try to read it has named
    the rows that it stored. names: pairs of a heading and what somebody said that it means.
    wrong: why it cannot be read; field: what no column names; headings: pairs of a heading and what it was taken for.
    """

    id: str
    key: str
    name: str
    digest: str
    pieces: int
    at: datetime
    given_by: str = ""
    due_at: datetime | None = None
    lease: str | None = None
    found: int = 0
    tries: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    wrong: str = ""
    field: str = ""
    headings: tuple[tuple[str, str], ...] = ()


class PendingFiles:
    """The files that have to be read."""

    def __init__(self, db: Db) -> None:
        self._collection = db["pending_files"]
        self._due = queue.Due(self._collection)

    async def claim(self, now: datetime, lease: timedelta, limit: int, own: set[str]) -> list[PendingFile]:
        """Take up to `limit` files that are due, for the length of `lease`. own: those that this process reads."""
        ids = [key for key in await self._due.ids(None, now, limit + len(own)) if key not in own][:limit]
        claimed = await queue.claim(self._collection, ids, now, lease)
        return [from_document(PendingFile, document) for document in claimed]


async def keep(db: Db, file: PendingFile, pieces: Iterable[bytes]) -> None:
    """Keep a file in place of the one before. pieces: its bytes, by PIECE."""
    for number, piece in enumerate(pieces):
        await db["pending_pieces"].insert_one({"_id": f"{file.key}:{number}", "raw": Binary(piece), "at": file.at})
    await db["pending_files"].replace_one({"_id": file.id}, to_document(file), upsert=True)


async def get(db: Db, job: str) -> PendingFile | None:
    """Return the file of a job that waits, or None."""
    return await documents.read(db, "pending_files", PendingFile, job)


async def of_jobs(db: Db, jobs: Sequence[str]) -> Mapping[str, PendingFile]:
    """Return the files that wait, by their jobs."""
    return {file.id: file for file in await documents.several(db, "pending_files", PendingFile, jobs)}


async def content(db: Db, file: PendingFile) -> AsyncIterator[bytes]:
    """Yield the bytes of a file, as far as they are there, piece by piece."""
    for number in range(file.pieces):
        if piece := await db["pending_pieces"].find_one({"_id": f"{file.key}:{number}"}):
            yield bytes(piece["raw"])


async def note(db: Db, file: PendingFile, now: datetime) -> bool:
    """Store how far a file was read, and what came of it, if its lease is still ours. Returns whether it is."""
    ours = {"$eq": ["$lease", file.lease]}
    kept = {"found": file.found, "tries": file.tries, "wrong": file.wrong, "field": file.field, "at": now}
    kept["headings"] = file.headings
    fields = {name: {"$cond": [ours, {"$literal": value}, f"${name}"]} for name, value in kept.items()}
    if file.due_at is None:
        fields |= {name: {"$cond": [ours, "$$REMOVE", f"${name}"]} for name in ("due_at", "lease")}
    result = await db["pending_files"].update_one({"_id": file.id}, [{"$set": fields}])
    return bool(result.modified_count)


async def put_back(db: Db, file: PendingFile, at: datetime) -> None:
    """Make a file due at that time, for whoever takes it then, if its lease is still ours."""
    ours = {"$eq": ["$lease", file.lease]}
    fields = {"due_at": {"$cond": [ours, at, "$due_at"]}, "lease": {"$cond": [ours, "$$REMOVE", "$lease"]}}
    await db["pending_files"].update_one({"_id": file.id}, [{"$set": fields}])


async def replace(db: Db, file: PendingFile) -> bool:
    """Replace what is known of a file, unless another one has come in its place."""
    return await documents.swap(db, "pending_files", to_document(file), "key", file.key)


async def drop(db: Db, file: PendingFile) -> None:
    """Delete a file that waits no more."""
    current = await get(db, file.id)
    if current and current.key == file.key:
        await db["pending_files"].delete_one({"_id": file.id})
    await db["pending_pieces"].delete_many({"_id": {"$in": [f"{file.key}:{number}" for number in range(file.pieces)]}})

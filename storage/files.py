"""Files: what we have of each, and their bytes, which are in GridFS under the file's id.

The file's own document is written first and deleted last, so that no crash leaves bytes that nobody finds.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime, timedelta

from gridfs.errors import NoFile

from gateway.domain.channel.errors import Refused
from gateway.domain.model.files import StoredFile
from storage.documents import documents, queue
from storage.documents.documents import Db, from_document

CONTENTS = "contents"
"""The name of the bucket."""


class Files:
    """The files that have to be fetched."""

    def __init__(self, db: Db) -> None:
        self._collection = db["files"]
        self._due = queue.Due(self._collection)

    async def claim(self, now: datetime, lease: timedelta, limit: int, own: set[str]) -> list[StoredFile]:
        """Take up to `limit` files that are due, for the length of `lease`. own: those that this process works on."""
        ids = [key for key in await self._due.ids(None, now, limit) if key not in own]
        claimed = await queue.claim(self._collection, ids, now, lease)
        return [from_document(StoredFile, document) for document in claimed]

    async def put_off(self, file: StoredFile, at: datetime | None, reason: str = "") -> None:
        """Put a file off until `at`, or for ever, if it is still ours. reason: what a try has failed by."""
        due = at or "$$REMOVE"
        fields = {
            "due_at": due,
            "tries": file.tries + bool(reason),
            "reason": {"$literal": reason},
            "lease": "$$REMOVE",
        }
        ours = {"$eq": ["$lease", file.lease]}
        update = {name: {"$cond": [ours, value, f"${name}"]} for name, value in fields.items()}
        await self._collection.update_one({"_id": file.id}, [{"$set": update}])


async def add(db: Db, file: StoredFile) -> bool:
    """Store what is known of a file before its bytes. Returns False if it is stored already."""
    return await documents.insert(db, "files", file)


async def get(db: Db, key: str) -> StoredFile | None:
    """Return what we have of a file, or None."""
    return await documents.read(db, "files", StoredFile, key)


async def several(db: Db, keys: Sequence[str]) -> dict[str, StoredFile]:
    """Return what we have of those of these files that we know, by their ids."""
    return {file.id: file for file in await documents.several(db, "files", StoredFile, keys)}


async def write(db: Db, key: str, pieces: AsyncIterator[bytes]) -> int:
    """Store a file's bytes in place of those that an earlier try may have left. Returns how many there are."""
    await _delete_bytes(db, key)
    stream = db.bucket(CONTENTS).open_upload_stream_with_id(key, key)
    size = 0
    async for piece in pieces:
        size += len(piece)
        await stream.write(piece)
    await stream.close()
    return size


async def read(db: Db, key: str) -> AsyncGenerator[bytes, None]:
    """Yield a file's bytes. Raises Refused if they are deleted at this moment."""
    try:
        stream = await db.bucket(CONTENTS).open_download_stream(key)
    except NoFile:
        raise Refused("the file is not kept any more") from None
    while piece := await stream.readchunk():
        yield piece


async def finish(db: Db, file: StoredFile) -> None:
    """Record that a file's bytes are stored. An upload that took too long may be deleted already, and stays so."""
    fields = {"name": file.name, "content_type": file.content_type, "size": file.size, "until": file.until}
    await db["files"].update_one({"_id": file.id}, {"$set": fields, "$unset": {"due_at": "", "lease": ""}})


async def expired(db: Db, now: datetime, limit: int) -> list[StoredFile]:
    """Return up to `limit` files whose time is over."""
    found = db["files"].find({"until": {"$lte": now}}).limit(limit)
    return [from_document(StoredFile, document) async for document in found]


async def delete(db: Db, key: str) -> None:
    """Delete a file with its bytes. May be repeated."""
    await _delete_bytes(db, key)
    await db["files"].delete_one({"_id": key})


async def _delete_bytes(db: Db, key: str) -> None:
    """Delete a file's bytes, also those of which GridFS knows no file, because they were not written to the end."""
    await db[f"{CONTENTS}.files"].delete_one({"_id": key})
    await db[f"{CONTENTS}.chunks"].delete_many({"files_id": key})

"""Files: what we have of each, and their bytes, which are in GridFS under the file's id.

The file's own document is written first and deleted last, so that no crash leaves bytes that nobody finds.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime

from gridfs.errors import NoFile

from gateway.domain.channel.errors import Refused
from gateway.domain.model.files import StoredFile
from storage.documents import documents
from storage.documents.documents import Db, from_document

CONTENTS = "contents"
"""The name of the bucket."""


async def add(db: Db, file: StoredFile) -> bool:
    """Store what is known of a file before its bytes. Returns False if it is stored already."""
    return await documents.insert(db, "files", file)


async def get(db: Db, key: str) -> StoredFile | None:
    """Return what we have of a file, or None."""
    return await documents.read(db, "files", StoredFile, key)


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


async def finish(db: Db, key: str, name: str, content_type: str, size: int) -> None:
    """Record that a file's bytes are stored."""
    fields = {"name": name, "content_type": content_type, "size": size}
    await db["files"].update_one({"_id": key}, {"$set": fields, "$unset": {"due_at": "", "lease": ""}})


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

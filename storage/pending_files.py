"""Files whose columns do not fit their job yet: their bytes are kept until somebody says what the columns mean."""

from collections.abc import Iterable
from datetime import datetime

from bson.binary import Binary
from msgspec import Struct

from storage.documents import documents
from storage.documents.documents import Db, to_document

PIECE = 1024 * 1024
"""Bytes of a file that are stored together."""


class PendingFile(Struct, frozen=True):
    """A file, one for a job at most. headings: pairs of a heading and what it was taken for. wrong: the mistake.

    field: what no column names. pieces: how many documents hold the bytes.
    """

    id: str
    name: str
    digest: str
    headings: tuple[tuple[str, str], ...]
    wrong: str
    field: str
    pieces: int
    at: datetime


async def keep(db: Db, file: PendingFile, pieces: Iterable[bytes]) -> None:
    """Keep a file in place of the one before."""
    for number, piece in enumerate(pieces):
        document = {"raw": Binary(piece), "at": file.at}
        await db["pending_pieces"].replace_one({"_id": f"{file.id}:{number}"}, document, upsert=True)
    await db["pending_files"].replace_one({"_id": file.id}, to_document(file), upsert=True)


async def get(db: Db, job: str) -> PendingFile | None:
    """Return the file that waits for its columns, or None."""
    return await documents.read(db, "pending_files", PendingFile, job)


async def content(db: Db, file: PendingFile) -> list[bytes]:
    """Return the bytes of a file, piece by piece."""
    pieces = [await db["pending_pieces"].find_one({"_id": f"{file.id}:{number}"}) for number in range(file.pieces)]
    return [bytes(piece["raw"]) for piece in pieces if piece]


async def drop(db: Db, file: PendingFile) -> None:
    """Delete a file that waits no more."""
    await db["pending_files"].delete_one({"_id": file.id})
    await db["pending_pieces"].delete_many({"_id": {"$in": [f"{file.id}:{number}" for number in range(file.pieces)]}})

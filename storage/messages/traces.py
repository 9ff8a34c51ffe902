"""What was said to providers, a document for each call: written once, found by the message, gone after some days."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from storage.documents.documents import Db, from_document, to_document


class Line(Struct, frozen=True, omit_defaults=True):
    """One call of an attempt, without secrets. milliseconds: until it was answered or broke."""

    id: str
    notification: str
    attempt: int
    at: datetime
    method: str
    url: str
    request: str = ""
    status: int = 0
    answer: str = ""
    retry_after: str = ""
    broke: str = ""
    milliseconds: int = 0


async def add(db: Db, lines: Sequence[Line]) -> None:
    await db["traces"].insert_many([to_document(line) for line in lines], ordered=False)


async def of(db: Db, notification: str) -> list[Line]:
    """All that is still kept of this message's calls, in their order."""
    found = [from_document(Line, document) async for document in db["traces"].find({"notification": notification})]
    return sorted(found, key=lambda line: (line.at, line.id))

"""Workers that are alive: each writes a small document every few seconds, as long as its loops go on."""

from datetime import datetime

from msgspec import Struct

from storage.documents.documents import Db, from_document, to_document


class Heartbeat(Struct, frozen=True):
    """One worker process. `at`: when the slowest of its loops last went on."""

    id: str
    at: datetime


async def beat(db: Db, heart: Heartbeat) -> None:
    document = to_document(heart)
    await db["workers"].replace_one({"_id": heart.id}, document, upsert=True)


async def gone(db: Db, key: str) -> None:
    """It has ended in peace."""
    await db["workers"].delete_one({"_id": key})


async def alive(db: Db, since: datetime) -> list[Heartbeat]:
    """Those that have gone on since."""
    return [from_document(Heartbeat, document) async for document in db["workers"].find({"at": {"$gt": since}})]

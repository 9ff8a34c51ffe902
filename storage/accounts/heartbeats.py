"""Heartbeats of workers: each process writes a small document every few seconds, as long as its loops go on."""

from datetime import datetime

from msgspec import Struct

from storage.documents.documents import Db, from_document, to_document


class Heartbeat(Struct, frozen=True):
    """The heartbeat of one worker process. `at` is when the slowest of its loops last went on."""

    id: str
    at: datetime


async def beat(db: Db, heartbeat: Heartbeat) -> None:
    """Store a worker's heartbeat in place of its last one."""
    document = to_document(heartbeat)
    await db["workers"].replace_one({"_id": heartbeat.id}, document, upsert=True)


async def remove(db: Db, key: str) -> None:
    """Remove the heartbeat of a worker that has stopped in an orderly way."""
    await db["workers"].delete_one({"_id": key})


async def alive(db: Db, since: datetime) -> list[Heartbeat]:
    """Return the heartbeats that are younger than `since`."""
    return [from_document(Heartbeat, document) async for document in db["workers"].find({"at": {"$gt": since}})]

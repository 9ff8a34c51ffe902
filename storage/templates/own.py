"""Own templates: the newest version of each in one collection, the older ones in another."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from storage.documents.codec import from_document, to_document
from storage.documents.newest import Order, Place, page
from storage.documents.shared import Swap
from storage.engine.database import Db


class Entry(Struct, frozen=True, omit_defaults=True):
    """One version of a template. body: what the caller wrote, as JSON: its keys are theirs, and not ours to index.

    listed_at: when it was made, as long as it is there. deleted: this version is the end of it, and holds nothing.
    """

    id: str
    version: int
    body: str
    created_at: datetime
    changed_at: datetime
    listed_at: datetime | None = None
    deleted: bool = False


async def create(db: Db, entry: Entry) -> bool:
    """False if there is, or was, one with this id."""
    return await db.shared("own_templates").insert(to_document(entry))


async def newest(db: Db, key: str) -> Entry | None:
    found = await db.shared("own_templates").get(key)
    return from_document(Entry, found) if found else None


async def older_versions(db: Db, key: str, versions: Sequence[int]) -> list[Entry]:
    """These of the older versions, in no order."""
    ids = [_version_id(key, version) for version in versions]
    found = db["own_template_versions"].find({"_id": {"$in": ids}})
    return [replace(from_document(Entry, document), id=key) async for document in found]


async def change(db: Db, old: Entry, new: Entry) -> bool:
    """Put the new version in the place of the old one, which is kept. False if somebody was faster."""
    await db.shared("own_template_versions").insert({**to_document(old), "_id": _version_id(old.id, old.version)})
    return await db.shared("own_templates").swap(Swap("version", old.version, to_document(new)))


async def listed(db: Db, after: Place | None, now: datetime, limit: int) -> list[Entry]:
    """Those that are there, the newest first."""
    found = await page(Order(db["own_templates"], "listed_at"), after, now, limit)
    return [from_document(Entry, document) for document in found]


def _version_id(key: str, version: int) -> str:
    return f"{key}@{version}"

"""Own templates: the newest version of each lies in one collection, the older ones in another."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from storage.documents import newest
from storage.documents.documents import Db, from_document, to_document
from storage.documents.newest import Order, Place
from storage.documents.trips import Swap


class TemplateVersion(Struct, frozen=True, omit_defaults=True):
    """One version of a template.

    `body` is what the caller wrote, as JSON: its keys are the caller's, and not ours to index. `listed_at` is when the
    template was created; it is gone once the template is deleted. `deleted`: this version is the last and is empty.
    """

    id: str
    version: int
    body: str
    created_at: datetime
    changed_at: datetime
    listed_at: datetime | None = None
    deleted: bool = False


async def create(db: Db, version: TemplateVersion) -> bool:
    """Store the first version of a template. Returns False if there is, or was, a template with this id."""
    return await db.shared("own_templates").insert(to_document(version))


async def newest_version(db: Db, key: str) -> TemplateVersion | None:
    """Return the newest version, which may be a deleted one; None if there never was such a template."""
    document = await db.shared("own_templates").get(key)
    return from_document(TemplateVersion, document) if document else None


async def older_versions(db: Db, key: str, numbers: Sequence[int]) -> list[TemplateVersion]:
    """Return those of the older versions with these numbers, in no particular order."""
    ids = [_version_id(key, number) for number in numbers]
    documents = db["own_template_versions"].find({"_id": {"$in": ids}})
    return [replace(from_document(TemplateVersion, document), id=key) async for document in documents]


async def change(db: Db, old: TemplateVersion, new: TemplateVersion) -> bool:
    """Put the new version in the place of the old one, which is kept. Returns False if somebody else was faster."""
    archived = {**to_document(old), "_id": _version_id(old.id, old.version)}
    await db.shared("own_template_versions").insert(archived)
    return await db.shared("own_templates").swap(Swap("version", old.version, to_document(new)))


async def page(db: Db, after: Place | None, now: datetime, limit: int) -> list[TemplateVersion]:
    """Return a page of the templates that are not deleted, the newest first."""
    documents = await newest.page(Order(db["own_templates"], "listed_at"), after, now, limit)
    return [from_document(TemplateVersion, document) for document in documents]


def _version_id(key: str, number: int) -> str:
    return f"{key}@{number}"

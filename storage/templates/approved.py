"""The contents of providers' templates.

They lie beside what the provider says of them (see storage.accounts.states), and are written apart from it, so that
neither undoes the other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.domain.model.message_template import MessageTemplate
from storage.documents.codec import Document, from_document, to_document
from storage.documents.newest import Order, Place, page
from storage.documents.queue import claim
from storage.engine.database import Db

STATE = ("state", "usable", "reason")
"""The provider's word: not ours to write."""


async def get(db: Db, key: str) -> MessageTemplate | None:
    found = await db.shared("templates").get(key)
    return _read(found) if found and found.get("version") else None


async def put(db: Db, template: MessageTemplate) -> bool:
    """Store the contents as they follow on the `version` that was read (0: none). False if that has changed."""
    same = {"$eq": [{"$ifNull": ["$version", 0]}, template.version]}
    fields = {name: value for name, value in to_document(template).items() if name not in STATE}
    fields |= {"version": template.version + 1, "owner": _owner(template.channel, template.account)}
    kept = {name: {"$cond": [same, {"$literal": value}, f"${name}"]} for name, value in fields.items()}
    result = await db["templates"].update_one({"_id": template.id}, [{"$set": kept}], upsert=True)
    return bool(result.modified_count or result.upserted_id)


async def remove(db: Db, template: MessageTemplate) -> None:
    """Forget the contents; what the provider said of it stays."""
    fields = [name for name in to_document(template) if name not in STATE]
    await db["templates"].update_one({"_id": template.id}, {"$unset": dict.fromkeys([*fields, "owner"], "")})


async def listed(db: Db, after: Place | None, now: datetime, limit: int) -> list[MessageTemplate]:
    """The newest first."""
    return [_read(found) for found in await page(Order(db["templates"], "created_at"), after, now, limit)]


async def of_account(db: Db, channel: str, account: str) -> Sequence[MessageTemplate]:
    found = db["templates"].find({"owner": _owner(channel, account)})
    return [_read(document) async for document in found]


async def due(db: Db, channel: str, account: str, now: datetime, every: timedelta) -> bool:
    """Is it for us to ask the provider now? One process is told so, once in `every`, the first time after one."""
    first = {"$setOnInsert": {"due_at": now + every}}
    await db["template_syncs"].update_one({"_id": _owner(channel, account)}, first, upsert=True)
    return bool(await claim(db["template_syncs"], [_owner(channel, account)], now, every))


def _owner(channel: str, account: str) -> str:
    return f"{channel}:{account}"


def _read(document: Document) -> MessageTemplate:
    return from_document(MessageTemplate, document)

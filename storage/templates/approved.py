"""The contents of providers' templates, and when a provider's list of them is to be fetched again.

The contents lie in one document with what the provider says of them (see storage.accounts.states), and are written
apart from it, so that neither undoes the other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.domain.model.message_template import MessageTemplate
from storage.documents import newest
from storage.documents.documents import Db, from_document, to_document
from storage.documents.newest import Order, Place
from storage.documents.queue import claim
from storage.documents.trips import Document

STATE = ("state", "usable", "reason")
"""The fields that hold the provider's word; they are never written here."""


async def get(db: Db, key: str) -> MessageTemplate | None:
    """Return the template with this id if we have its contents, else None."""
    document = await db.shared("templates").get(key)
    return _template(document) if document and document.get("version") else None


async def put(db: Db, template: MessageTemplate) -> bool:
    """Store the contents that follow on the `version` that was read (0: none). Returns False if that has changed."""
    same = {"$eq": [{"$ifNull": ["$version", 0]}, template.version]}
    fields = {name: value for name, value in to_document(template).items() if name not in STATE}
    fields |= {"version": template.version + 1, "owner": _owner(template.channel, template.account)}
    update = {name: {"$cond": [same, {"$literal": value}, f"${name}"]} for name, value in fields.items()}
    result = await db["templates"].update_one({"_id": template.id}, [{"$set": update}], upsert=True)
    return bool(result.modified_count or result.upserted_id)


async def remove(db: Db, template: MessageTemplate) -> None:
    """Remove the contents; what the provider said of the template stays."""
    fields = [name for name in to_document(template) if name not in STATE]
    await db["templates"].update_one({"_id": template.id}, {"$unset": dict.fromkeys([*fields, "owner"], "")})


async def page(db: Db, after: Place | None, now: datetime, limit: int) -> list[MessageTemplate]:
    """Return a page of all templates, the newest first."""
    order = Order(db["templates"], "created_at")
    return [_template(document) for document in await newest.page(order, after, now, limit)]


async def of_account(db: Db, channel: str, account: str) -> Sequence[MessageTemplate]:
    """Return the templates of this account whose contents we have."""
    documents = db["templates"].find({"owner": _owner(channel, account)})
    return [_template(document) async for document in documents]


async def due(db: Db, channel: str, account: str, now: datetime, every: timedelta) -> bool:
    """Claim the next fetch of this account's list from its provider.

    Returns True for one process once in `every`, for the first time when `every` has passed once.
    """
    first = {"$setOnInsert": {"due_at": now + every}}
    await db["template_syncs"].update_one({"_id": _owner(channel, account)}, first, upsert=True)
    return bool(await claim(db["template_syncs"], [_owner(channel, account)], now, every))


def _owner(channel: str, account: str) -> str:
    return f"{channel}:{account}"


def _template(document: Document) -> MessageTemplate:
    return from_document(MessageTemplate, document)

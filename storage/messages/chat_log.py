"""The chat log, which is also where a provider's receipt finds the attempt that it speaks of.

A line's `_id` is channel:account:provider_id. The sender writes what the message was, a receipt writes itself, each
by an upsert and then a look at the whole: whoever comes second sees both halves, so a receipt may come first.
"""

from datetime import datetime

import msgspec

from gateway.domain.model.event import Receipt
from gateway.domain.model.nouns import Message
from storage.documents.documents import Db, from_document, to_document
from storage.documents.newest import Order, Place, page
from storage.documents.trips import Document


async def log(db: Db, line: Message) -> list[Receipt]:
    """Write a line into the log, or complete the one that is there; the receipts that came before it."""
    document = to_document(line)
    if await db.shared("messages").insert(document):
        return []
    key = document.pop("_id")
    await db["messages"].update_one({"_id": key}, {"$set": document}, upsert=True)
    there = await db.shared("messages").get(key) or {}
    return [msgspec.convert(receipt, Receipt) for receipt in there.get("receipts", [])]


async def of_session(db: Db, session: str, after: Place | None, now: datetime, limit: int) -> list[Message]:
    """A page of what was said in a conversation, the newest first."""
    order = Order(db["messages"], "at", {"session": session})
    return [from_document(Message, document) for document in await page(order, after, now, limit)]


async def note(db: Db, line: Message) -> None:
    """Write a line of somebody else's; whatever is known of that message already stays as it is."""
    document = to_document(line)
    key = document.pop("_id")
    known = {name: {"$ifNull": [f"${name}", {"$literal": value}]} for name, value in document.items()}
    await db["messages"].update_one({"_id": key}, [{"$set": known}], upsert=True)


async def of_receipt(db: Db, receipt: Receipt) -> Message | None:
    """The message that a receipt speaks of; if it is not in the log yet, the receipt is kept for it."""
    key = receipt.lane
    line = _line(await db.shared("messages").get(key))
    if line:
        return line
    kept = msgspec.to_builtins(receipt, builtin_types=(datetime,))
    kept.pop("raw", None)
    await db["messages"].update_one(
        {"_id": key}, {"$addToSet": {"receipts": kept}, "$min": {"at": receipt.at}}, upsert=True
    )
    return _line(await db.shared("messages").get(key))


def _line(document: Document | None) -> Message | None:
    return from_document(Message, document) if document and "session" in document else None

"""The chat log, which is also where a provider's receipt finds its attempt.

A line's `_id` is channel:account:provider_id. The sender writes what the message was, and a receipt writes itself; each
does an upsert and then reads the whole line. Whoever comes second sees both halves, so the receipt may come first.
"""

from datetime import datetime

import msgspec

from gateway.domain.model.event import Receipt
from gateway.domain.model.nouns import Message
from storage.documents import documents
from storage.documents.documents import Db, from_document, to_document
from storage.documents.newest import Order, Place, page


class StoredLine(Message, frozen=True, kw_only=True):
    """A line as it is stored; without a session it is only the place where early receipts wait for their message."""

    session: str = ""
    outbound: bool = True


async def log(db: Db, line: Message) -> list[Receipt]:
    """Write a line into the log, or complete the line that is there. Returns the receipts that came before it."""
    if await documents.insert(db, "messages", line):
        return []
    document = to_document(line)
    key = document.pop("_id")
    await db["messages"].update_one({"_id": key}, {"$set": document}, upsert=True)
    stored = await documents.get(db, "messages", key) or {}
    return [msgspec.convert(receipt, Receipt) for receipt in stored.get("receipts", [])]


async def get(db: Db, key: str) -> Message | None:
    """Return the line with this id, or None."""
    line = await documents.read(db, "messages", StoredLine, key)
    return line if line and line.session else None


async def of_session(db: Db, session: str, after: Place | None, now: datetime, limit: int) -> list[Message]:
    """Return a page of a conversation's lines, the newest first."""
    order = Order(db["messages"], "at", {"session": session})
    return [from_document(Message, document) for document in await page(order, after, now, limit)]


async def move(db: Db, session: str, to: str, until: datetime | None) -> None:
    """Let the lines of a conversation be those of another, up to this moment. May be repeated."""
    await db["messages"].update_many(
        {"session": session, **({"at": {"$lte": until}} if until else {})}, {"$set": {"session": to}}
    )


async def log_echo(db: Db, line: Message) -> None:
    """Write a line that somebody else sent in our name. Fields that are stored already stay as they are."""
    document = to_document(line)
    key = document.pop("_id")
    update = {name: {"$ifNull": [f"${name}", {"$literal": value}]} for name, value in document.items()}
    await db["messages"].update_one({"_id": key}, [{"$set": update}], upsert=True)


async def of_receipt(db: Db, receipt: Receipt) -> Message | None:
    """Return the message that a receipt is about. If it is not in the log yet, keep the receipt for it; return None."""
    key = receipt.lane
    line = await documents.read(db, "messages", StoredLine, key)
    if line and line.session:
        return line
    document = msgspec.to_builtins(receipt, builtin_types=(datetime,))
    document.pop("raw", None)
    await db["messages"].update_one(
        {"_id": key}, {"$addToSet": {"receipts": document}, "$min": {"at": receipt.at}}, upsert=True
    )
    line = await documents.read(db, "messages", StoredLine, key)
    return line if line and line.session else None

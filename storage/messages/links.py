"""Short links and the counts of their clicks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from gateway.domain.api.links import Link
from storage.documents import newest
from storage.documents.documents import PORTION, Db, from_document, in_portions, to_document
from storage.documents.newest import Order, Place


async def add(db: Db, links: Sequence[Link]) -> None:
    """Store new links."""
    for portion in in_portions(links, PORTION):
        await db["links"].insert_many([to_document(link) for link in portion], ordered=False)


async def get(db: Db, code: str) -> Link | None:
    """Return the link with this code, or None."""
    document = await db.shared("links").get(code)
    return from_document(Link, document) if document else None


async def count_click(db: Db, code: str, now: datetime) -> None:
    """Count a click, and keep the times of the first and the last one."""
    update = {"$inc": {"clicks": 1}, "$min": {"first_at": now}, "$max": {"last_at": now}}
    await db["links"].update_one({"_id": code}, update)


async def count_preview(db: Db, code: str) -> None:
    """Count a visit by a messenger's own preview service."""
    await db["links"].update_one({"_id": code}, {"$inc": {"previews": 1}})


async def of_message(db: Db, message: str) -> list[Link]:
    """Return all links of a message, ordered by code."""
    documents = await db.shared("links").find("message", message)
    return sorted((from_document(Link, document) for document in documents), key=attrgetter("id"))


async def clicks(db: Db, messages: Sequence[str]) -> Mapping[str, int]:
    """Return the clicks on the links of these messages, by message; those without links are left out."""
    counts = Counter[str]()
    async for document in db["links"].find({"message": {"$in": list(messages)}}, {"message": 1, "clicks": 1}):
        counts[document["message"]] += document.get("clicks", 0)
    return counts


async def page(db: Db, after: Place | None, now: datetime, limit: int) -> list[Link]:
    """Return a page of all links, the newest first."""
    documents = await newest.page(Order(db["links"], "at"), after, now, limit)
    return [from_document(Link, document) for document in documents]

"""Short links and their clicks."""

from collections.abc import Sequence
from datetime import datetime

from gateway.domain.api.links import Link
from storage.documents import newest
from storage.documents.documents import Db, from_document, to_document
from storage.documents.newest import Order, Place


async def add(db: Db, links: Sequence[Link]) -> None:
    if links:
        await db["links"].insert_many([to_document(link) for link in links], ordered=False)


async def get(db: Db, code: str) -> Link | None:
    found = await db.shared("links").get(code)
    return from_document(Link, found) if found else None


async def clicked(db: Db, code: str, now: datetime) -> None:
    """One click more: the first, the last, and how many."""
    update = {"$inc": {"clicks": 1}, "$min": {"first_at": now}, "$max": {"last_at": now}}
    await db["links"].update_one({"_id": code}, update)


async def previewed(db: Db, code: str) -> None:
    await db["links"].update_one({"_id": code}, {"$inc": {"previews": 1}})


async def of_message(db: Db, message: str) -> list[Link]:
    """All of a message, in the order of their codes."""
    return sorted((from_document(Link, one) for one in await db.shared("links").find("message", message)), key=_code)


async def page(db: Db, after: Place | None, now: datetime, limit: int) -> list[Link]:
    """All links, the newest first."""
    return [from_document(Link, one) for one in await newest.page(Order(db["links"], "at"), after, now, limit)]


def _code(link: Link) -> str:
    return link.id

"""What we know of templates and of our own accounts: small documents, found by their ids."""

from collections.abc import Iterable
from datetime import datetime

from storage.database import Db


async def template_changed(db: Db, key: str, *, usable: bool, state: str, reason: str, at: datetime) -> None:
    """The provider's word on a template; an older word does not undo a newer one.

    `key` is channel:account:name:language.
    """
    outdated = {"$lt": [at, {"$ifNull": ["$at", at]}]}
    fields = {"usable": usable, "state": state, "reason": reason, "at": at}
    update = [
        {"$set": {name: {"$cond": [outdated, f"${name}", {"$literal": value}]} for name, value in fields.items()}}
    ]
    await db["templates"].update_one({"_id": key}, update, upsert=True)


async def template_problems(db: Db, keys: Iterable[str]) -> dict[str, str]:
    """Which of these templates cannot be used, and why. One that we have heard nothing of counts as usable."""
    asked = list(keys)
    if not asked:  # most messages have none, the bot's answers among them
        return {}
    found = db["templates"].find({"_id": {"$in": asked}})
    return {
        document["_id"]: f"{document['state']} {document['reason']}".strip()
        async for document in found
        if not document["usable"]
    }


async def hold(db: Db, account: str, until: datetime, why: str) -> None:
    """Let an account's messages wait: it is misconfigured. `account` is channel:account."""
    await db["accounts"].update_one({"_id": account}, {"$set": {"held_until": until, "held_why": why}}, upsert=True)


async def held(db: Db, accounts: Iterable[str], now: datetime) -> dict[str, tuple[datetime, str]]:
    """Which of these accounts are held now, until when, and why."""
    found = db["accounts"].find({"_id": {"$in": list(accounts)}})
    return {
        document["_id"]: (document["held_until"], document["held_why"])
        async for document in found
        if document["held_until"] > now
    }

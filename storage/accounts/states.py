"""What we know of templates and of our own accounts: small documents, found by their ids."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct, structs

from storage.documents.documents import Db


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
    return {
        document["_id"]: f"{document['state']} {document['reason']}".strip()
        for document in await db.shared("templates").several(sorted(keys))
        if not document.get("usable", True)
    }


async def template_state(db: Db, key: str) -> str:
    """How a template stands that we have the contents of, or that the provider has; nothing if there is none."""
    found = await db.shared("templates").get(key) or {}
    state = str(found.get("state", ""))
    return state if found.get("version") or state not in NOT_THERE else ""


NOT_THERE = ("draft", "deleted", "refused")
"""States of what the provider does not have, as far as we know."""


class Hold(Struct, frozen=True):
    """An account that waits. `probing`: at the end one message tries whether things are well again, the others wait on.

    patient: the fault is ours, so its messages wait for as long as they are valid. strikes: how often it was held since
    something was last sent; `since`: when that began.
    """

    account: str
    until: datetime
    why: str
    since: datetime
    patient: bool = True
    probing: bool = True
    strikes: int = 1


async def holds(db: Db, accounts: Iterable[str]) -> dict[str, Hold]:
    """Which of these accounts (channel:name) are held, or were and have not sent anything since."""
    found = db["holds"].find({"_id": {"$in": list(accounts)}})
    told = [msgspec.convert({**document, "account": document["_id"]}, Hold) async for document in found]
    return {hold.account: hold for hold in told}


async def hold(db: Db, hold: Hold) -> None:
    """Hold an account. A hold that lasts longer stays as it is."""
    fields = {name: value for name, value in structs.asdict(hold).items() if name != "account"}
    shorter = {"$lt": [hold.until, {"$ifNull": ["$until", hold.until]}]}
    kept = {name: {"$cond": [shorter, f"${name}", {"$literal": value}]} for name, value in fields.items()}
    await db["holds"].update_one({"_id": hold.account}, [{"$set": kept}], upsert=True)


async def probe(db: Db, account: str, now: datetime, until: datetime) -> bool:
    """May we be the one that tries? Then the others wait until `until`."""
    over = {"$lte": ["$until", now]}
    result = await db["holds"].update_one({"_id": account}, [{"$set": {"until": {"$cond": [over, until, "$until"]}}}])
    return bool(result.modified_count)


async def release(db: Db, account: str) -> None:
    """Something was sent: the account is well."""
    await db["holds"].delete_one({"_id": account})

"""The states of providers' templates and of our own accounts: small documents, found by their ids."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct, structs

from storage.documents import documents
from storage.documents.documents import Db


async def save_template_state(db: Db, key: str, *, usable: bool, state: str, reason: str, at: datetime) -> None:
    """Store what the provider said of a template at `at`, unless something newer is stored.

    `key` is channel:account:name:language.
    """
    outdated = {"$lt": [at, {"$ifNull": ["$at", at]}]}
    fields = {"usable": usable, "state": state, "reason": reason, "at": at}
    update = [
        {"$set": {name: {"$cond": [outdated, f"${name}", {"$literal": value}]} for name, value in fields.items()}}
    ]
    await db["templates"].update_one({"_id": key}, update, upsert=True)


async def template_problems(db: Db, keys: Iterable[str]) -> dict[str, str]:
    """Return {key: reason} for those of these templates that cannot be used. An unknown template counts as usable."""
    templates = await documents.several(db, "templates", TemplateState, sorted(keys))
    return {template.id: f"{template.state} {template.reason}".strip() for template in templates if not template.usable}


class TemplateState(Struct, frozen=True):
    """What the provider last said of a template."""

    id: str
    usable: bool = True
    state: str = ""
    reason: str = ""


async def template_state(db: Db, key: str) -> str:
    """Return the state of a template whose contents we have, or that the provider has; "" if there is none."""
    document = await db.shared("templates").get(key) or {}
    state = str(document.get("state", ""))
    return state if document.get("version") or state not in ABSENT else ""


ABSENT = ("draft", "deleted", "refused")
"""The states of templates that the provider does not have, as far as we know."""


class Hold(Struct, frozen=True):
    """An account whose messages wait until `until`.

    `probing`: at the end one message tries whether the account works again, while the others wait on. `patient`: the
    fault is ours, so the messages wait for as long as they are valid. `strikes` counts the holds since something was
    last sent; `since` is when the first of them began.
    """

    account: str
    until: datetime
    why: str
    since: datetime
    patient: bool = True
    probing: bool = True
    strikes: int = 1


async def holds(db: Db, accounts: Iterable[str]) -> dict[str, Hold]:
    """Return {account: hold} for those of these accounts (channel:name) that have not sent anything since a hold."""
    documents = db["holds"].find({"_id": {"$in": list(accounts)}})
    found = [msgspec.convert({**document, "account": document["_id"]}, Hold) async for document in documents]
    return {hold.account: hold for hold in found}


async def hold(db: Db, hold: Hold) -> None:
    """Store a hold, unless the account is held for longer already."""
    fields = {name: value for name, value in structs.asdict(hold).items() if name != "account"}
    shorter = {"$lt": [hold.until, {"$ifNull": ["$until", hold.until]}]}
    update = {name: {"$cond": [shorter, f"${name}", {"$literal": value}]} for name, value in fields.items()}
    await db["holds"].update_one({"_id": hold.account}, [{"$set": update}], upsert=True)


async def probe(db: Db, account: str, now: datetime, until: datetime) -> bool:
    """Claim the probe of an account whose hold is over. Returns True for one caller; the others wait until `until`."""
    over = {"$lte": ["$until", now]}
    result = await db["holds"].update_one({"_id": account}, [{"$set": {"until": {"$cond": [over, until, "$until"]}}}])
    return bool(result.modified_count)


async def shorten_hold(db: Db, account: str, until: datetime) -> None:
    """Let a hold last until then, at most."""
    shorter = {"$lt": ["$until", until]}
    await db["holds"].update_one({"_id": account}, [{"$set": {"until": {"$cond": [shorter, "$until", until]}}}])


async def release(db: Db, account: str) -> None:
    """End the hold of an account from which something was sent."""
    await db["holds"].delete_one({"_id": account})

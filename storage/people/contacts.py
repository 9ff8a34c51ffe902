"""Contacts that are changed, or turn out to be one person."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from pymongo.errors import DuplicateKeyError

from gateway.domain.model.nouns import Contact
from storage.documents.codec import Document, from_document
from storage.engine.database import Db

NAMES = ("phone", "external_id")


async def as_stored(db: Db, key: str) -> Contact | None:
    """The contact of this very id, also one that is another name of somebody else by now."""
    found = await db.shared("contacts").get(key)
    return from_document(Contact, found) if found else None


async def set_names(db: Db, key: str, names: Mapping[str, str], aliases: Sequence[str] = ()) -> bool:
    """False where somebody else has one of them. What one of the `aliases` goes by is theirs to give."""
    if not names:
        return True
    if aliases:
        mine = {name: {"$eq": [f"${name}", {"$literal": value}]} for name, value in names.items() if name in NAMES}
        freed = {name: {"$cond": [same, "$$REMOVE", f"${name}"]} for name, same in mine.items()}
        await db["contacts"].update_many({"_id": {"$in": list(aliases)}}, [{"$set": freed}])
    try:
        await db["contacts"].update_one({"_id": key}, {"$set": dict(names)})
    except DuplicateKeyError:
        return False
    return True


async def merge(db: Db, one: Contact, other: Contact, chosen: Mapping[str, str]) -> Contact | None:
    """Make `other` a further name of `one`, which is to get the names that it lacks, and those `chosen`; see `finish`.

    In this order, so that it may break off anywhere and be repeated: `one` knows the other's conversations; the other
    leads to `one`, and gives its names away; `one` takes them. None where `one` was made a further name of somebody
    at the same moment: then nothing is changed.
    """
    known = {"$setUnion": [{"$ifNull": ["$aliases", []]}, [other.id, *other.aliases]]}
    await db["contacts"].update_one({"_id": one.id}, [{"$set": {"aliases": known}}])
    own = {name: value for name in NAMES if (value := getattr(other, name))}
    moved = {name: value for name, value in own.items() if chosen.get(name) == value or getattr(one, name) is None}
    taken = {name: value for name in moved if (value := getattr(one, name))}
    given = moved | {"name": chosen.get("name") or one.name or other.name}
    update: Document = {"$set": {"merged_into": one.id, "given": given, "taken": taken}}
    await db["contacts"].update_one({"_id": other.id}, update | ({"$unset": dict.fromkeys(moved, "")} if moved else {}))
    if (latest := await as_stored(db, one.id)) is None or latest.merged_into:
        back: Document = {"$unset": {"merged_into": "", **UNFINISHED}}
        await db["contacts"].update_one({"_id": other.id}, back | ({"$set": moved} if moved else {}))
        return None
    if other.aliases:  # one step leads to whoever stays, however many merges there were
        await db["contacts"].update_many({"_id": {"$in": list(other.aliases)}}, {"$set": {"merged_into": one.id}})
    return replace(other, merged_into=one.id, given=given, taken=taken)


async def finish(db: Db, key: str, other: Contact) -> bool:
    """The one takes what the other has given; what it goes by no longer still leads to it, by way of the other.

    Once: whatever the one is called later stays. False where somebody else has one of these names meanwhile.
    """
    if not (await set_names(db, key, other.given) and await set_names(db, other.id, other.taken)):
        return False
    await db["contacts"].update_one({"_id": other.id}, {"$unset": UNFINISHED})
    return True


UNFINISHED = {"given": "", "taken": ""}

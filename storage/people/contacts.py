"""Contacts: people across channels, each found by their identifiers; joined, changed, and merged.

An identifier belongs to one contact: a unique index ensures that. A change of a contact's identifiers swaps the whole
list, and starts again if somebody else was faster.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from msgspec.structs import replace
from pymongo.errors import DuplicateKeyError

from gateway.domain.model.identifier import Identifier, rivals, without_rivals
from gateway.domain.model.nouns import Contact
from storage.documents import documents
from storage.documents.documents import Db, Document, to_document

DEEPEST = 8
"""The most merges that are followed: two merges at the same moment could make a circle."""

TRIES = 4
"""How often a change is tried: others may create or change the same contact at the same moment."""


async def get(db: Db, key: str) -> Contact | None:
    """Return the contact of this id, or the one that it was merged into."""
    return await _resolve(db, "_id", key)


async def find(db: Db, identifier: Identifier) -> Contact | None:
    """Return the contact who goes by this identifier, or whoever that one was merged into."""
    return await _resolve(db, "identifiers", identifier)


async def find_by_start_code(db: Db, code: str) -> Contact | None:
    """Return the contact whose deep links carry this code, or whoever that one was merged into."""
    return await _resolve(db, "start_code", code)


async def as_stored(db: Db, key: str) -> Contact | None:
    """Return the contact of this very id, also one that is another name of somebody else by now."""
    return await documents.read(db, "contacts", Contact, key)


async def _resolve(db: Db, field: str, value: str) -> Contact | None:
    for _ in range(DEEPEST):
        contact = next(iter(await documents.find(db, "contacts", Contact, field, value)), None)
        if contact is None or contact.merged_into is None:
            return contact
        field, value = "_id", contact.merged_into
    return None


async def join(
    db: Db, now: datetime, identifiers: Sequence[Identifier], *, fallback: str | None = None
) -> Contact | None:
    """Return the one contact with all of these identifiers, created or completed where needed.

    fallback: the id of the contact who gets them if nobody has any of them yet. Returns None where they belong to
    different people already: that is for an operator to decide.
    """
    for _ in range(TRIES):
        owners = {identifier: contact for identifier in identifiers if (contact := await find(db, identifier))}
        if len({contact.id for contact in owners.values()}) > 1:
            return None
        contact = next(iter(owners.values()), None) or (await get(db, fallback) if fallback else None)
        existing = {*owners, *(contact.identifiers if contact else ())}
        lacking = [identifier for identifier in identifiers if identifier not in existing]
        if contact and not lacking:
            return contact
        if contact and rivals(contact.identifiers, lacking):
            return None
        with suppress(DuplicateKeyError):
            await (_add(db, contact, lacking) if contact else _create(db, now, identifiers))
    return None


async def _create(db: Db, now: datetime, identifiers: Sequence[Identifier]) -> None:
    contact = Contact(id=uuid4().hex, start_code=token_urlsafe(16), created_at=now, identifiers=tuple(identifiers))
    await db["contacts"].insert_one(to_document(contact))


async def _add(db: Db, contact: Contact, lacking: Sequence[Identifier]) -> None:
    """Add the lacking identifiers, unless the contact's own have changed since it was read."""
    await _swap(db, contact, (*contact.identifiers, *lacking))


async def _swap(db: Db, contact: Contact, identifiers: Sequence[Identifier]) -> bool:
    """Replace the contact's identifiers. Returns False if they have changed since it was read."""
    unchanged = {"$eq": [{"$ifNull": ["$identifiers", []]}, {"$literal": list(contact.identifiers)}]}
    swapped = {"$cond": [unchanged, _list_or_nothing({"$literal": list(identifiers)}), _OWN]}
    result = await db["contacts"].update_one({"_id": contact.id}, [{"$set": {"identifiers": swapped}}])
    return bool(result.modified_count)


_OWN = {"$ifNull": ["$identifiers", "$$REMOVE"]}


def _list_or_nothing(identifiers: object) -> object:
    """Return an expression that removes an empty list: in the unique index, a second one would be a duplicate."""
    return {"$cond": [{"$eq": [identifiers, []]}, "$$REMOVE", identifiers]}


async def rename(db: Db, key: str, name: str) -> None:
    """Set the name that people know the contact by."""
    await db["contacts"].update_one({"_id": key}, {"$set": {"name": name}})


async def identify(db: Db, key: str, new: Sequence[Identifier]) -> bool:
    """Give a contact these identifiers, in place of others of the same kinds.

    They may be taken from the contact's aliases. Returns False if somebody else has one of them.
    """
    for _ in range(TRIES):
        contact = await as_stored(db, key)
        if contact is None or set(new) <= set(contact.identifiers):
            return True
        await _free(db, contact.aliases, new)
        try:
            if await _swap(db, contact, (*without_rivals(contact.identifiers, new), *new)):
                return True
        except DuplicateKeyError:
            return False
    return False


async def _free(db: Db, aliases: Sequence[str], identifiers: Sequence[Identifier]) -> None:
    """Take these identifiers from the aliases that have them."""
    if aliases:
        left = {"$setDifference": [{"$ifNull": ["$identifiers", []]}, {"$literal": list(identifiers)}]}
        update = [{"$set": {"identifiers": _list_or_nothing(left)}}]
        await db["contacts"].update_many({"_id": {"$in": list(aliases)}}, update)


async def merge(
    db: Db, contact: Contact, other: Contact, chosen: Sequence[Identifier], name: str = ""
) -> Contact | None:
    """Make `other` an alias of `contact`, who is to get the identifiers that it lacks, and those `chosen`.

    It may break off anywhere and be repeated, because of its order: first `contact` gets the other's conversations;
    then the other leads to `contact` and releases its identifiers; `finish` gives them to `contact`. Returns the other
    as it is stored then, or None where `contact` became an alias of somebody at the same moment: then nothing changes.
    """
    aliases = {"$setUnion": [{"$ifNull": ["$aliases", []]}, [other.id, *other.aliases]]}
    await db["contacts"].update_one({"_id": contact.id}, [{"$set": {"aliases": aliases}}])
    given, taken = _moves(contact, other, chosen)
    change: dict[str, Any] = {"merged_into": contact.id, "given": list(given), "taken": list(taken)}
    change["given_name"] = name or contact.name or other.name
    await _mark(db, other, change, [identifier for identifier in other.identifiers if identifier not in given])
    if (latest := await as_stored(db, contact.id)) is None or latest.merged_into:
        await _mark(db, other, dict.fromkeys(("merged_into", *UNFINISHED), "$$REMOVE"), other.identifiers)
        return None
    if other.aliases:  # one step leads to whoever stays, however many merges there were
        update = {"$set": {"merged_into": contact.id}}
        await db["contacts"].update_many({"_id": {"$in": list(other.aliases)}}, update)
    return replace(other, merged_into=contact.id, given=given, given_name=change["given_name"], taken=taken)


def _moves(
    contact: Contact, other: Contact, chosen: Sequence[Identifier]
) -> tuple[tuple[Identifier, ...], tuple[Identifier, ...]]:
    """Return what the other gives to the contact, and which identifiers the contact loses for that. Pure."""
    lacking = without_rivals(other.identifiers, contact.identifiers)
    given = tuple(identifier for identifier in other.identifiers if identifier in chosen or identifier in lacking)
    stays = without_rivals(contact.identifiers, given)
    return given, tuple(identifier for identifier in contact.identifiers if identifier not in stays)


async def _mark(db: Db, contact: Contact, change: Mapping[str, Any], identifiers: Sequence[Identifier]) -> None:
    """Change a contact's fields together with its identifiers."""
    values = {
        field: value if value == "$$REMOVE" else {"$literal": value}
        for field, value in {**change, "identifiers": list(identifiers) or "$$REMOVE"}.items()
    }
    await db["contacts"].update_one({"_id": contact.id}, [{"$set": values}])


async def finish(db: Db, key: str, other: Contact) -> bool:
    """Give the contact `key` what the other has given. What the contact loses goes to the other, which leads to it.

    This happens once: a later name of the contact stays. Returns False if somebody else has got one of these
    identifiers meanwhile.
    """
    if not (await identify(db, key, other.given) and await identify(db, other.id, other.taken)):
        return False
    if other.given_name:
        await rename(db, key, other.given_name)
    await db["contacts"].update_one({"_id": other.id}, {"$unset": dict.fromkeys(UNFINISHED, "")})
    return True


UNFINISHED: Document = dict.fromkeys(("given", "given_name", "taken"), "")

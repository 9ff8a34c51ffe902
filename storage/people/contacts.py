"""Contacts: people across channels, each found by their identifiers; joined, changed, and merged.

An identifier belongs to one contact: a unique index ensures that. Every change replaces the contact as it was read, and
starts again if somebody else was faster.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from secrets import token_urlsafe
from uuid import uuid4

from msgspec.structs import replace
from pymongo.errors import DuplicateKeyError

from gateway.domain.model.identifier import Identifier, rivals, without_rivals
from gateway.domain.model.nouns import Contact
from gateway.domain.model.phone import spellings
from storage.documents import documents
from storage.documents.documents import TRIES, Contended, Db

DEEPEST = 8
"""The most merges that are followed."""


async def get(db: Db, key: str) -> Contact | None:
    """Return the contact of this id, or the one that it was merged into."""
    return await _resolve(db, "_id", key)


async def find(db: Db, identifier: Identifier) -> Contact | None:
    """Return the contact who goes by this identifier, in any spelling, or whoever that one was merged into."""
    for spelling in spellings(identifier):
        if contact := await _resolve(db, "identifiers", spelling):
            return contact
    return None


async def former_identifiers(db: Db, contact: Contact) -> tuple[Identifier, ...]:
    """Return the identifiers that lead to a contact though it goes by others: its aliases keep them after a merge."""
    aliases = await documents.several(db, "contacts", Contact, contact.aliases)
    kept = dict.fromkeys(identifier for alias in aliases for identifier in alias.identifiers)
    return tuple(identifier for identifier in kept if identifier not in contact.identifiers)


async def find_by_start_code(db: Db, code: str) -> tuple[Contact, Contact] | None:
    """Return the contact that carries this code, and the one that it was merged into; the same one where it was not."""
    carrier = next(iter(await documents.find(db, "contacts", Contact, "start_code", code)), None)
    contact = await get(db, carrier.id) if carrier else None
    return (carrier, contact) if carrier and contact else None


async def redeem(db: Db, carrier: Contact, place: str, user: str) -> bool:
    """Let this user be the one whom the contact's code joins at a place: a channel, or one account of it. Repeatable.

    Returns False if the code has joined somebody else there, or if another code has taken its place. Raises Contended.
    """
    code = carrier.start_code

    def step(contact: Contact) -> Contact:
        free = contact.start_code == code and _joined_at(contact, place) is None
        return replace(contact, code_users={**contact.code_users, place: user}) if free else contact

    await _change(db, carrier.id, step)
    stored = await as_stored(db, carrier.id)
    return stored is not None and stored.start_code == code and _joined_at(stored, place) == user


def _joined_at(contact: Contact, place: str) -> str | None:
    """Return whom the code has joined there. Older versions stored every user under the channel alone."""
    return contact.code_users.get(place) or contact.code_users.get(place.partition(":")[0])


async def renew_code(db: Db, key: str, now: datetime, issued_before: datetime) -> Contact | None:
    """Give a contact a new start code unless theirs is from `issued_before` or later.

    The old one joins nobody any more. Returns the contact, or None if there is none. Raises Contended.
    """

    def step(contact: Contact) -> Contact:
        if (contact.code_at or contact.created_at) >= issued_before:
            return contact
        return replace(contact, start_code=_new_code(), code_at=now, code_users={})

    await _change(db, key, step, get)
    return await get(db, key)


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
    different people already: that is for an operator to decide. Raises Contended.
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
        with suppress(DuplicateKeyError):  # somebody else has created or completed them meanwhile
            await _save(db, _with_identifiers(contact, lacking) if contact else _new_contact(now, identifiers))
    raise Contended(identifiers[0])


def _new_contact(now: datetime, identifiers: Sequence[Identifier]) -> Contact:
    return Contact(id=uuid4().hex, start_code=_new_code(), created_at=now, identifiers=tuple(identifiers))


def _new_code() -> str:
    return token_urlsafe(16)


async def _save(db: Db, contact: Contact) -> bool:
    """Store a contact as `documents.save` does. Returns False if it has changed since it was read."""
    return await documents.save(db, "contacts", contact) is not None


async def _change(
    db: Db,
    key: str,
    step: Callable[[Contact], Contact],
    read: Callable[[Db, str], Awaitable[Contact | None]] = as_stored,
) -> None:
    """Apply `step` to a contact, which may be an alias. Raises Contended, and DuplicateKeyError as `documents.save`."""
    for _ in range(TRIES):
        contact = await read(db, key)
        if contact is None or (new := step(contact)) == contact or await _save(db, new):
            return
    raise Contended(key)


async def rename(db: Db, key: str, name: str) -> None:
    """Set the name that people know the contact by."""
    await _change(db, key, lambda contact: replace(contact, name=name), get)


async def identify(db: Db, key: str, new: Sequence[Identifier]) -> bool:
    """Give a contact these identifiers, in place of others of the same kinds.

    They may be taken from the contact's aliases. Returns False if somebody else has one of them. Raises Contended.
    """
    contact = await get(db, key)
    try:
        for alias in contact.aliases if contact else ():
            await _change(db, alias, lambda other: replace(other, identifiers=_without(other.identifiers, new)))
        await _change(db, key, lambda contact: _with_identifiers(contact, new), get)
    except DuplicateKeyError:
        return False
    return True


async def drop(db: Db, contact: Contact, gone: Sequence[Identifier]) -> None:
    """Take identifiers that lead to a contact by now from it and its aliases. May be repeated. Raises Contended."""
    for key in contact.ids:
        await _change(db, key, lambda each: replace(each, identifiers=_without(each.identifiers, gone)))


def _with_identifiers(contact: Contact, new: Sequence[Identifier]) -> Contact:
    """Return the contact with these identifiers, and without others of their kinds. Pure."""
    if set(new) <= set(contact.identifiers):
        return contact
    return replace(contact, identifiers=(*without_rivals(contact.identifiers, new), *new))


def _without(those: Sequence[Identifier], gone: Sequence[Identifier]) -> tuple[Identifier, ...]:
    return tuple(identifier for identifier in those if identifier not in gone)


async def merge(db: Db, contact: Contact, other: Contact, chosen: Sequence[Identifier], name: str = "") -> bool:
    """Let `other` lead to `contact`, and keep for it what it lacks or what is `chosen`, until `finish` gives it.

    Both come as they were just read. Returns False if one of them has changed since: then they stay two people.

    Whoever merges at the same moment, no circle comes about: `contact` gets a new version first, so that a merge which
    has read it before, to let it lead elsewhere, comes too late.
    """
    if not await _save(db, contact):
        return False
    lacking = without_rivals(other.identifiers, contact.identifiers)
    given = tuple(identifier for identifier in other.identifiers if identifier in chosen or identifier in lacking)
    own, given_name = _without(other.identifiers, given), name or contact.name or other.name
    return await _save(db, replace(other, merged_into=contact.id, identifiers=own, given=given, given_name=given_name))


async def finish(db: Db, key: str) -> bool:
    """Complete a merge: the contact that the alias `key` leads to gets its conversations, identifiers and name.

    It may break off anywhere and be repeated; it happens once, so that a later name of the contact stays. Returns False
    if somebody else has got one of these identifiers meanwhile. Raises Contended.
    """
    await _adopt(db, key)
    try:
        for _ in range(TRIES):
            if await _give_names(db, key):
                return True
    except DuplicateKeyError:
        return False
    raise Contended(key)


async def _adopt(db: Db, key: str) -> None:
    """Let the contact know its aliases, and these lead to it by one step, however many merges there were."""
    if (other := await as_stored(db, key)) is None:
        return
    ids = (other.id, *other.aliases)
    await _change(
        db, key, lambda contact: replace(contact, aliases=tuple(dict.fromkeys((*contact.aliases, *ids)))), get
    )
    if contact := await get(db, key):
        for alias in other.aliases:
            await _change(db, alias, lambda former: replace(former, merged_into=contact.id))


async def _give_names(db: Db, key: str) -> bool:
    """Give the contact what its alias keeps for it. Returns False if the contact has changed meanwhile.

    What the contact loses for that goes to the alias, which leads to it, and is written there first.
    """
    other, contact = await as_stored(db, key), await get(db, key)
    if other is None or contact is None or not (other.given or other.given_name or other.taken):
        return True
    lost = rivals(contact.identifiers, other.given)
    await _change(db, key, lambda alias: replace(alias, taken=tuple(dict.fromkeys((*alias.taken, *lost)))))
    named = replace(_with_identifiers(contact, other.given), name=other.given_name or contact.name)
    if named != contact and not await _save(db, named):
        return False
    await _change(db, key, _complete_alias)
    return True


def _complete_alias(alias: Contact) -> Contact:
    """Return an alias that has given everything, with what the contact lost. Pure."""
    identifiers = tuple(dict.fromkeys((*alias.identifiers, *alias.taken)))
    return replace(alias, identifiers=identifiers, given=(), given_name="", taken=())

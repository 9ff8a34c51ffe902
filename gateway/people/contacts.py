"""Contacts: changes people's identifiers and names, and merges two contacts that are the same person."""

import asyncio
from collections.abc import Sequence
from random import random
from typing import Annotated

from msgspec import Meta

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import IdentifiedInput, Name, RequestError
from gateway.domain.model.identifier import Identifier, kind_of, rivals
from gateway.domain.model.nouns import Contact
from gateway.people import optouts
from gateway.people.identifiers import read_identifiers
from gateway.runtime.runtime import Runtime
from storage.people import contacts

TAKEN = "Somebody else has this already."
TRIES = 8
"""How often a merge is tried while others change one of the two."""

PAUSE = 0.05
"""Seconds between two tries, at most."""


class ContactChangeRequest(IdentifiedInput):
    """What is to be different; what is not named stays."""

    name: Annotated[str, Meta(max_length=256)] | None = None


class MergeRequest(ContactChangeRequest, kw_only=True):
    """contactId: who turns out to be the same person, and becomes an alias of this one. The others: which identifier
    stays, where the two have different ones of a kind.
    """

    contact_id: Name


async def change(runtime: Runtime, contact: Contact, request: ContactChangeRequest) -> Contact:
    """Give a contact these identifiers and this name. Raises RequestError, Conflict where one is somebody else's."""
    identifiers = read_identifiers(runtime, request)
    for field, identifier in identifiers.items():
        other = await contacts.find(runtime.db, identifier)
        if other and other.id != contact.id:
            raise Conflict(TAKEN, field)
    new = list(identifiers.values())
    await optouts.carry_over(runtime.db, [*contact.identifiers, *new], f"contact:{contact.id}")
    if not await contacts.identify(runtime.db, contact.id, new):
        raise Conflict(TAKEN, " or ".join(identifiers))
    if request.name is not None:
        await contacts.rename(runtime.db, contact.id, request.name)
    return await contacts.get(runtime.db, contact.id) or contact


async def merge(runtime: Runtime, contact: Contact, request: MergeRequest) -> Contact:
    """Make two contacts one person, and return it with the identifiers of both.

    It may be repeated, and then completes a merge that broke off. Raises RequestError, or Conflict where the two have
    different identifiers of one kind and the request does not say which one stays.
    """
    for _ in range(TRIES):
        other = await contacts.as_stored(runtime.db, request.contact_id)
        if other is None:
            raise RequestError("unknown_contact", "there is no such contact", "contactId")
        if other.merged_into == contact.id or await _merge(runtime, contact, other, request):
            return await _finish(runtime, contact, other)
        await asyncio.sleep(random() * PAUSE)  # noqa: S311 - so that two who merge against each other do not go on so
        contact = await contacts.get(runtime.db, contact.id) or contact
    raise Conflict("Others change these two at this moment: look at them, and try again.")


async def _merge(runtime: Runtime, contact: Contact, other: Contact, request: MergeRequest) -> bool:
    """Let the other lead to the contact. Returns False if one of them has changed meanwhile."""
    if other.id == contact.id or other.merged_into:
        raise RequestError("invalid", "this is no other contact", "contactId")
    chosen = list(read_identifiers(runtime, request).values())
    _check_choice(contact, other, chosen)
    await optouts.carry_over(runtime.db, [*contact.identifiers, *other.identifiers], f"contact:{contact.id}")
    return await contacts.merge(runtime.db, contact, other, chosen, request.name or "")


def _check_choice(contact: Contact, other: Contact, chosen: Sequence[Identifier]) -> None:
    """Raise Conflict where the two have different identifiers of one kind, and neither is chosen."""
    for identifier in rivals(contact.identifiers, other.identifiers):
        kind = kind_of(identifier)
        choices = {identifier, *(each for each in other.identifiers if kind_of(each) == kind)}
        if not choices & set(chosen):
            raise Conflict("The two have different ones: say which one stays.", kind)


async def _finish(runtime: Runtime, contact: Contact, other: Contact) -> Contact:
    if not await contacts.finish(runtime.db, other.id):
        raise Conflict(TAKEN, " or ".join(map(kind_of, other.given or other.identifiers)))
    return await contacts.get(runtime.db, contact.id) or contact

"""Contacts: people across channels. Found, completed, and made one where two were the same person."""

from typing import Annotated

from msgspec import Meta

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import Input, Name, RequestError
from gateway.domain.model.nouns import Contact
from gateway.people import optouts
from gateway.people.recipients import normal_phone
from gateway.runtime.runtime import Runtime
from storage.people import contacts, sessions


class ContactChangeRequest(Input):
    """What is to be different; what is not named stays."""

    name: Annotated[str, Meta(max_length=256)] | None = None
    phone: Name | None = None
    external_id: Name | None = None


class MergeRequest(ContactChangeRequest, kw_only=True):
    """contactId: who turns out to be the same person, and becomes another name of this one. The others: which one
    stays, where the two have different ones.
    """

    contact_id: Name


async def changed(runtime: Runtime, contact: Contact, asked: ContactChangeRequest) -> Contact:
    """The contact with these names. Raises RequestError, Clash where somebody else has one of them."""
    wanted = _names(runtime, asked)
    for name, value in wanted.items():
        other = await sessions.contact(runtime.db, **{name: value}) if name != "name" else None
        if other and other.id != contact.id:
            raise Conflict(TAKEN, _FIELDS[name])
    await optouts.carry_over(runtime.db, _phones(contact.phone, wanted.get("phone")), f"contact:{contact.id}")
    if not await contacts.set_names(runtime.db, contact.id, wanted, contact.aliases):
        raise Conflict(TAKEN, "phone or externalId")
    return await sessions.contact(runtime.db, id=contact.id) or contact


async def merged(runtime: Runtime, one: Contact, asked: MergeRequest) -> Contact:
    """The one, with all that the other was known by. May be repeated, and completes what broke off.

    Raises RequestError, Clash where both have a different name and it is not said which one stays.
    """
    db = runtime.db
    other = await contacts.as_stored(db, asked.contact_id)
    if other is None:
        raise RequestError("unknown_contact", "there is no such contact", "contactId")
    if other.merged_into == one.id:
        return await _finished(runtime, one, other)
    if other.id == one.id or other.merged_into:
        raise RequestError("invalid", "this is no other contact", "contactId")
    chosen = _names(runtime, asked)
    for name in ("phone", "external_id"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs and mine != theirs and chosen.get(name) not in {mine, theirs}:
            raise Conflict("The two have different ones: say which one stays.", _FIELDS[name])
    await optouts.carry_over(db, _phones(one.phone, other.phone), f"contact:{one.id}")
    merged = await contacts.merge(db, one, other, chosen)
    if merged is None:
        raise Conflict("Somebody merges these two at this moment: look at them, and try again.")
    return await _finished(runtime, one, merged)


def _phones(*numbers: str | None) -> list[str]:
    """Under which opt-outs by these numbers are kept."""
    return [f"phone:{number}" for number in numbers if number]


async def _finished(runtime: Runtime, one: Contact, other: Contact) -> Contact:
    if not await contacts.finish(runtime.db, one.id, other):
        raise Conflict(TAKEN, "phone or externalId")
    return await sessions.contact(runtime.db, id=one.id) or one


TAKEN = "Somebody else has this already."
_FIELDS = {"phone": "phone", "external_id": "externalId", "name": "name"}


def _names(runtime: Runtime, asked: ContactChangeRequest) -> dict[str, str]:
    phone = normal_phone(asked.phone, runtime.settings.default_region) if asked.phone else None
    given = {"name": asked.name, "phone": phone, "external_id": asked.external_id}
    return {name: value for name, value in given.items() if value is not None}

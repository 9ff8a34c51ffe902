"""Recipients: finds the person whom a request names, and the name under which their messages are ordered."""

import asyncio
from collections.abc import Mapping, Sequence

from gateway.domain.api.request import ContactRequest, PersonInput, RequestError, read
from gateway.domain.model.identifier import KINDS, Identifier, kind_of
from gateway.domain.model.notification import Recipient
from gateway.domain.model.nouns import Contact, Session
from gateway.domain.model.phone import one_form, spellings
from gateway.people.identifiers import read_identifiers
from gateway.runtime.runtime import Runtime
from storage.messages.notifications import Person
from storage.people import contacts, sessions

ORDERED_BY = "phone:"
"""The prefix of the identifier that names a person in the order of messages, where it is known."""


async def join_contact(runtime: Runtime, body: bytes) -> Contact:
    """Return the contact with these identifiers, created if there is none; an expired start code is replaced.

    Raises RequestError.
    """
    identifiers = read_identifiers(runtime, read(ContactRequest, body))
    if not identifiers:
        raise RequestError("invalid", "give at least one of phone, email, externalId, device, identifier")
    contact, now = await _join(runtime, identifiers), runtime.clock()
    return await contacts.renew_code(runtime.db, contact.id, now, now - runtime.settings.start_codes_kept) or contact


async def read_recipient(runtime: Runtime, request: PersonInput, *, join: bool = True) -> tuple[Recipient, str]:
    """Return the recipient, and the person under whose name the message is ordered. Raises RequestError.

    With `join`, identifiers that come together belong to one contact from now on.
    """
    identifiers = read_identifiers(runtime, request)
    if not (identifiers or request.contact_id or request.chat_session_id):
        raise RequestError(
            "no_recipient", "give one of phone, email, externalId, device, identifier, contactId, chatSessionId"
        )
    recipient = Recipient(tuple(identifiers.values()), request.contact_id, request.chat_session_id)
    owners = await _owners(runtime, recipient, list(identifiers))
    owner = next(iter(owners.values()), None)
    if join and len(identifiers) > 1 and not identifiers.keys() <= owners.keys():
        owner = await _join(runtime, identifiers, owner)
    return recipient, _person(recipient, owner)


async def person_of(runtime: Runtime, recipient: Recipient) -> str:
    """Return the person under whose name messages to a recipient are ordered. Raises RequestError if there is none."""
    kinds = map(kind_of, recipient.identifiers)
    owners = await _owners(runtime, recipient, [kind if kind in KINDS else "identifier" for kind in kinds])
    return _person(recipient, next(iter(owners.values()), None))


def _person(recipient: Recipient, contact: Contact | None) -> str:
    """Return the name under which their messages are ordered, however the caller named them. Pure."""
    identifiers = (*recipient.identifiers, *(contact.identifiers if contact else ()))
    if number := next((name for name in identifiers if name.startswith(ORDERED_BY)), None):
        return one_form(number)
    return contact.id if contact else recipient.session or recipient.identifiers[0]


async def _owners(runtime: Runtime, recipient: Recipient, fields: Sequence[str]) -> dict[str, Contact]:
    """Return the contact that each name leads to, by its field. A phone number alone is not looked up.

    fields: those of the identifiers. Raises RequestError for names of two people: a message for one would go to the
    other.
    """
    session = await _session(runtime, recipient.session) if recipient.session else None
    if not (recipient.contact or session) and all(name.startswith(ORDERED_BY) for name in recipient.identifiers):
        return {}
    pairs = zip(fields, recipient.identifiers, strict=True)
    owners = {field: await contacts.find(runtime.db, identifier) for field, identifier in pairs}
    ids = {"contactId": recipient.contact, "chatSessionId": session.contact if session else None}
    owners |= {field: await contacts.get(runtime.db, key) for field, key in ids.items() if key}
    if recipient.contact and owners["contactId"] is None:
        raise RequestError("unknown_contact", "there is no such contact", "contactId")
    return _one_person({field: owner for field in _FIELDS if (owner := owners.get(field))})


_FIELDS = ("phone", "email", "contactId", "externalId", "device", "identifier", "chatSessionId")
"""In the order in which an error message names them."""


def _one_person(owners: dict[str, Contact]) -> dict[str, Contact]:
    fields = {contact.id: field for field, contact in owners.items()}
    if len(fields) > 1:
        first, *_, last = fields.values()
        raise RequestError("two_people", f"this {first} and this {last} belong to two different contacts", last)
    return owners


async def known_recipient(runtime: Runtime, request: PersonInput) -> Recipient:
    """Return the recipient with these names. Raises RequestError if there is no such person."""
    recipient, person = await read_recipient(runtime, request, join=False)
    if person.startswith("externalId:") and len(recipient.identifiers) == 1:  # no contact has it
        field = "externalId" if request.external_id else "identifier"
        raise RequestError("unknown_contact", "there is no contact of this external id", field)
    return recipient


async def person_called(runtime: Runtime, name: Identifier) -> Person:
    """Return all names of the person who goes by this identifier: those of their contact, and their conversations."""
    contact = await contacts.find(runtime.db, name)
    chats = await sessions.of_contact(runtime.db, contact) if contact else []
    known = dict.fromkeys(
        form for each in (name, *(contact.identifiers if contact else ())) for form in spellings(each)
    )
    return Person(tuple(known), contact.ids if contact else (), tuple(chat.id for chat in chats))


async def identifiers_of(runtime: Runtime, recipients: Sequence[Recipient]) -> list[tuple[Identifier, ...]]:
    """Return the identifiers of each recipient: the caller's own, or else those of the contact that was meant."""
    chats = {key for each in recipients if (key := each.session) and not each.identifiers}
    stored = zip(chats, await asyncio.gather(*(sessions.get(runtime.db, key) for key in chats)), strict=True)
    of_chat = {key: session.contact for key, session in stored if session}
    ids = [each.contact or of_chat.get(each.session or "") for each in recipients]
    named = {key for key in ids if key}
    found = dict(zip(named, await asyncio.gather(*(contacts.get(runtime.db, key) for key in named)), strict=True))
    owners = [found.get(key or "") for key in ids]
    return [
        each.identifiers or (owner.identifiers if owner else ()) for each, owner in zip(recipients, owners, strict=True)
    ]


async def _session(runtime: Runtime, key: str) -> Session:
    session = await sessions.get(runtime.db, key)
    if session is None:
        raise RequestError("unknown_session", "there is no such session", "chatSessionId")
    return session


async def _join(runtime: Runtime, identifiers: Mapping[str, Identifier], owner: Contact | None = None) -> Contact:
    """Join these identifiers; where nobody has any of them yet, `owner` gets them."""
    fallback, values = owner.id if owner else None, list(identifiers.values())
    contact = await contacts.join(runtime.db, runtime.clock(), values, fallback=fallback)
    if contact is None:
        raise RequestError(
            "two_people", f"{_list_fields(list(identifiers))} belong to two different contacts", _last(identifiers)
        )
    return contact


def _list_fields(fields: Sequence[str]) -> str:
    return " and ".join(f"this {field}" for field in sorted(fields, key=_FIELDS.index))


def _last(identifiers: Mapping[str, Identifier]) -> str:
    return max(identifiers, key=_FIELDS.index)

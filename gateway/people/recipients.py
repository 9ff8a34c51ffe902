"""Whom a caller means: the person behind the names in a request, and in whose order a message to them stands."""

from collections.abc import Mapping, Sequence

from gateway.domain.api.request import ContactRequest, PersonInput, RequestError, read
from gateway.domain.model.identifier import KINDS, Identifier, kind_of
from gateway.domain.model.notification import Recipient
from gateway.domain.model.nouns import Contact, Session
from gateway.people.identifiers import read_identifiers
from gateway.runtime.runtime import Runtime
from storage.people import contacts, sessions

ORDERED_BY = "phone:"
"""How the identifier begins by which a person is named in the order of messages, where it is known."""


async def join_contact(runtime: Runtime, body: bytes) -> Contact:
    """Return the person with these identifiers, made if there is none. Raises RequestError."""
    identifiers = read_identifiers(runtime, read(ContactRequest, body))
    if not identifiers:
        raise RequestError("invalid", "give a phone, an externalId, or both, or another identifier")
    return await _join(runtime, identifiers)


async def read_recipient(runtime: Runtime, request: PersonInput, *, join: bool = True) -> tuple[Recipient, str]:
    """Return whom the caller means, and the person in whose order the message stands.

    Identifiers that come together belong to one person from now on, if they are to be joined. Raises RequestError.
    """
    identifiers = read_identifiers(runtime, request)
    if not (identifiers or request.contact_id or request.chat_session_id):
        raise RequestError("no_recipient", "give one of phone, email, externalId, device, contactId, chatSessionId")
    recipient = Recipient(tuple(identifiers.values()), request.contact_id, request.chat_session_id)
    owners = await _owners(runtime, recipient, list(identifiers))
    if join and len(identifiers) > 1 and not identifiers.keys() <= owners.keys():
        await _join(runtime, identifiers)
    return recipient, _person(recipient, next(iter(owners.values()), None))


async def person_of(runtime: Runtime, recipient: Recipient) -> str:
    """Return the person in whose order messages to this recipient stand. Raises RequestError where they have gone."""
    kinds = map(kind_of, recipient.identifiers)
    owners = await _owners(runtime, recipient, [kind if kind in KINDS else "identifier" for kind in kinds])
    return _person(recipient, next(iter(owners.values()), None))


def _person(recipient: Recipient, contact: Contact | None) -> str:
    """Return the name under which their messages stand in one order, however the caller named them. Pure."""
    known = (*recipient.identifiers, *(contact.identifiers if contact else ()))
    if number := next((name for name in known if name.startswith(ORDERED_BY)), None):
        return number
    return contact.id if contact else recipient.session or recipient.identifiers[0]


async def _owners(runtime: Runtime, recipient: Recipient, fields: Sequence[str]) -> dict[str, Contact]:
    """Return whom each name leads to, by its field: nobody is looked up for a phone number alone.

    `fields` are those of the identifiers. Raises RequestError for names of two people: what is meant for one would go
    to the other.
    """
    session = await _session(runtime, recipient.session) if recipient.session else None
    if not (recipient.contact or session) and all(name.startswith(ORDERED_BY) for name in recipient.identifiers):
        return {}
    named = zip(fields, recipient.identifiers, strict=True)
    owners = {field: await contacts.find(runtime.db, known_by) for field, known_by in named}
    ids = {"contactId": recipient.contact, "chatSessionId": session.contact if session else None}
    owners |= {field: await contacts.get(runtime.db, key) for field, key in ids.items() if key}
    if recipient.contact and owners["contactId"] is None:
        raise RequestError("unknown_contact", "there is no such contact", "contactId")
    return _one_person({field: owner for field in _FIELDS if (owner := owners.get(field))})


_FIELDS = ("phone", "email", "contactId", "externalId", "device", "identifier", "chatSessionId")
"""In the order in which a mistake names them."""


def _one_person(owners: dict[str, Contact]) -> dict[str, Contact]:
    different = {contact.id: field for field, contact in owners.items()}
    if len(different) > 1:
        first, *_, last = different.values()
        raise RequestError("two_people", f"this {first} and this {last} belong to two different contacts", last)
    return owners


async def known_recipient(runtime: Runtime, request: PersonInput) -> Recipient:
    """Return whom these names mean, where there is such a person. Raises RequestError."""
    recipient, person = await read_recipient(runtime, request, join=False)
    if person.startswith("externalId:"):  # nobody is known by that, and it reaches nobody by itself
        raise RequestError("unknown_contact", "there is no contact of this external id", "externalId")
    return recipient


async def _session(runtime: Runtime, key: str) -> Session:
    session = await sessions.get(runtime.db, key)
    if session is None:
        raise RequestError("unknown_session", "there is no such session", "chatSessionId")
    return session


async def _join(runtime: Runtime, identifiers: Mapping[str, Identifier]) -> Contact:
    contact = await contacts.join(runtime.db, runtime.clock(), list(identifiers.values()))
    if contact is None:
        raise RequestError(
            "two_people", f"{_named(list(identifiers))} belong to two different contacts", _last(identifiers)
        )
    return contact


def _named(fields: Sequence[str]) -> str:
    return " and ".join(f"this {field}" for field in sorted(fields, key=_FIELDS.index))


def _last(identifiers: Mapping[str, Identifier]) -> str:
    return max(identifiers, key=_FIELDS.index)

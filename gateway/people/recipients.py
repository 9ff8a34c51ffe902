"""Whom a caller means: phone numbers in one form, names of one person, and whose messages are in one order."""

import phonenumbers

from gateway.domain.api.request import ContactRequest, Destination, RequestError, read
from gateway.domain.model.notification import Recipient
from gateway.domain.model.nouns import Contact, Session
from gateway.runtime.runtime import Runtime
from storage.people import sessions


async def join_contact(runtime: Runtime, body: bytes) -> Contact:
    """The person with these names, made if there is none. Raises RequestError."""
    asked = read(ContactRequest, body)
    if not (asked.phone or asked.external_id):
        raise RequestError("invalid", "give a phone, an externalId, or both")
    phone = normal_phone(asked.phone, runtime.settings.default_region) if asked.phone else None
    return await _joined(runtime, phone, asked.external_id)


def normal_phone(phone: str, region: str) -> str:
    """A phone number as E.164. Raises RequestError."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        raise RequestError("bad_phone", "this is not a phone number", "phone") from None
    if not phonenumbers.is_valid_number(number):
        raise RequestError("bad_phone", "no such phone number can exist", "phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def recipient(runtime: Runtime, asked: Destination, *, join: bool = True) -> tuple[Recipient, str]:
    """Whom the caller means, and the person in whose order the message stands: by their number, where it is known.

    Names that come together belong to one person from now on, if they are to be joined. Raises RequestError.
    """
    for name, value in asked.variables.items():
        if not isinstance(value, str | int | float):
            raise RequestError("invalid", "a variable is a text, a number, true or false", f"variables.{name}")
    if not (asked.phone or asked.contact_id or asked.external_id or asked.chat_session_id):
        raise RequestError("no_recipient", "give one of phone, contactId, externalId, chatSessionId")
    phone = normal_phone(asked.phone, runtime.settings.default_region) if asked.phone else None
    session = await _session(runtime, asked.chat_session_id) if asked.chat_session_id else None
    people = await _people(runtime, asked, phone, session)
    if asked.contact_id and "contactId" not in people:
        raise RequestError("unknown_contact", "there is no such contact", "contactId")
    if join and phone and asked.external_id and not {"phone", "externalId"} <= people.keys():
        await _joined(runtime, phone, asked.external_id)
    contact = next(iter(people.values()), None)
    known = phone or (contact and (contact.phone or contact.id)) or (session and session.id)
    named = Recipient(phone, asked.contact_id, asked.external_id, asked.chat_session_id)
    return named, known or f"external:{asked.external_id}"


async def _people(
    runtime: Runtime, asked: Destination, phone: str | None, session: Session | None
) -> dict[str, Contact]:
    """Whom each name leads to, as far as it leads to somebody: nobody is looked up for a number alone.

    Raises RequestError for names of two people: what is one's would go to the other.
    """
    given = {
        "phone": ("phone", phone),
        "contactId": ("id", asked.contact_id),
        "externalId": ("external_id", asked.external_id),
        "chatSessionId": ("id", session.contact if session else None),
    }
    wanted = {field: {name: value} for field, (name, value) in given.items() if value}
    if list(wanted) == ["phone"]:
        return {}
    found = {field: await sessions.contact(runtime.db, **query) for field, query in wanted.items()}
    people = {field: person for field, person in found.items() if person}
    different = {person.id: field for field, person in people.items()}
    if len(different) > 1:
        first, *_, last = different.values()
        raise RequestError("two_people", f"this {first} and this {last} belong to two different contacts", last)
    return people


async def named(
    runtime: Runtime, phone: str | None, contact_id: str | None, external_id: str | None, session: str | None
) -> str | None:
    """Whether there is somebody of these names; their number in one form, if it was given. Raises RequestError."""
    asked = Destination(phone=phone, contact_id=contact_id, external_id=external_id, chat_session_id=session)
    found, person = await recipient(runtime, asked, join=False)
    if external_id and not (phone or contact_id or session) and person.startswith("external:"):
        raise RequestError("unknown_contact", "there is no contact of this external id", "externalId")
    return found.phone


async def _session(runtime: Runtime, key: str) -> Session:
    session = await sessions.get(runtime.db, key)
    if session is None:
        raise RequestError("unknown_session", "there is no such session", "chatSessionId")
    return session


async def _joined(runtime: Runtime, phone: str | None, external_id: str | None) -> Contact:
    person = await sessions.join(runtime.db, runtime.clock(), phone=phone, external_id=external_id)
    if person is None:
        raise RequestError(
            "two_people", "this phone and this externalId belong to two different contacts", "externalId"
        )
    return person

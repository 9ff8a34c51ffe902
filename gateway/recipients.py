"""Whom a caller means: phone numbers in one form, names of one person, and whose messages are in one order."""

import phonenumbers

from gateway.model import Contact, Session
from gateway.notification import Recipient
from gateway.request import AskedContact, Destination, RequestError, read
from gateway.runtime import Runtime
from storage import sessions


async def join_contact(runtime: Runtime, body: bytes) -> Contact:
    """The person with these names, made if there is none. Raises RequestError."""
    asked = read(AskedContact, body)
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


async def recipient(runtime: Runtime, asked: Destination) -> tuple[Recipient, str]:
    """Whom the caller means, and the person in whose order the message stands: by their number, where it is known.

    Names that come together belong to one person from now on. Raises RequestError.
    """
    for name, value in asked.variables.items():
        if not isinstance(value, str | int | float):
            raise RequestError("invalid", "a variable is a text, a number, true or false", f"variables.{name}")
    if not (asked.phone or asked.contact_id or asked.external_id or asked.chat_session_id):
        raise RequestError("no_recipient", "give one of phone, contactId, externalId, chatSessionId")
    phone = normal_phone(asked.phone, runtime.settings.default_region) if asked.phone else None
    contact = await _contact(runtime, asked, phone)
    session = await _session(runtime, asked.chat_session_id) if asked.chat_session_id else None
    if not (phone or contact) and session and session.contact:
        contact = await sessions.contact(runtime.db, id=session.contact)
    known = phone or (contact and (contact.phone or contact.id)) or (session and session.id)
    named = Recipient(phone, asked.contact_id, asked.external_id, asked.chat_session_id)
    return named, known or f"external:{asked.external_id}"


async def _contact(runtime: Runtime, asked: Destination, phone: str | None) -> Contact | None:
    if phone and asked.external_id:
        await _joined(runtime, phone, asked.external_id)
    if asked.contact_id:
        contact = await sessions.contact(runtime.db, id=asked.contact_id)
        if contact is None:
            raise RequestError("unknown_contact", "there is no such contact", "contactId")
        return contact
    if asked.external_id and not phone:
        return await sessions.contact(runtime.db, external_id=asked.external_id)
    return None


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

"""Contacts over HTTP: join, find, change and merge them."""

from collections.abc import Mapping

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import ContactRequest, IdentifiedInput, RequestError, convert, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.identifier import value_of
from gateway.domain.model.nouns import Contact
from gateway.people import contacts
from gateway.people.contacts import ContactChangeRequest, MergeRequest
from gateway.people.identifiers import read_identifiers
from gateway.people.recipients import join_contact
from gateway.runtime.runtime import account_key, all_channels
from storage.people import contacts as stored_contacts
from storage.people import sessions
from webhooks.api.people.sessions import SessionsResponse, session_view
from webhooks.http.answers import Refusal, answer
from webhooks.http.audit import note, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("contacts", __name__, url_prefix="/api/v1/contacts")


class ContactQuery(IdentifiedInput):
    """Who is wanted, by one identifier."""


class ContactView(View):
    """A person. identifiers: by what they are known, as `kind:value`; mergedIds: further ids of the same person.

    links: deep links by account, which join their chats: one of each channel, until startCodeExpiresAt. There is no
    startCode once it has expired.
    """

    id: str
    phone: str | None
    external_id: str | None
    identifiers: list[str]
    name: str | None
    start_code: str | None
    start_code_expires_at: str | None
    links: dict[str, str]
    merged_ids: list[str]


@blueprint.post("")
@allow(Role.SENDER, Role.OPERATOR)
@records(Act.CONTACT_SAVE)
@document_request(ContactRequest)
@document_response(ContactView)
async def join() -> ResponseReturnValue:
    """Join identifiers to one person.

    The person is made if there is none; the links join their chats, too.
    """
    contact = await join_contact(runtime(), await body())
    note(contact.id)
    return answer(_view(contact))


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(ContactQuery)
@document_response(ContactView)
async def find() -> ResponseReturnValue:
    """Find a person by an identifier."""
    identifiers = read_identifiers(runtime(), convert(ContactQuery, query()))
    if len(identifiers) != 1:
        raise RequestError("invalid", "give one of phone, externalId, or another identifier")
    ((field, identifier),) = identifiers.items()
    contact = await stored_contacts.find(runtime().db, identifier)
    return answer(_view(_existing(contact, {field: value_of(identifier)})))


@blueprint.get("/<key>")
@allow(Role.SENDER, Role.OPERATOR)
@document_response(ContactView)
async def get_contact(key: str) -> ResponseReturnValue:
    """Tell who this is; ids of merged contacts lead to the one that stayed."""
    return answer(_view(await _contact(key)))


@blueprint.patch("/<key>")
@allow(Role.OPERATOR, Role.SENDER)
@records(Act.CONTACT_CHANGE)
@document_request(ContactChangeRequest)
@document_response(ContactView)
async def change(key: str) -> ResponseReturnValue:
    """Change a person's name or identifiers."""
    change_request = read(ContactChangeRequest, await body())
    return answer(_view(await contacts.change(runtime(), await _contact(key), change_request)))


@blueprint.get("/<key>/sessions")
@allow(Role.OPERATOR)
@document_response(SessionsResponse)
async def list_conversations(key: str) -> ResponseReturnValue:
    """List a person's conversations on all channels."""
    conversations = await sessions.of_contact(runtime().db, await _contact(key))
    return answer(SessionsResponse(sessions=[session_view(session) for session in conversations], cursor=None))


@blueprint.post("/<key>/merge")
@allow(Role.OPERATOR)
@records(Act.CONTACT_MERGE)
@document_request(MergeRequest)
@document_response(ContactView)
async def merge(key: str) -> ResponseReturnValue:
    """Make two contacts one person; may be repeated.

    409 where the two have different numbers or external ids, unless you say which one stays.
    """
    merge_request = read(MergeRequest, await body())
    return answer(_view(await contacts.merge(runtime(), await _contact(key), merge_request)))


@blueprint.post("/<key>/startCode")
@allow(Role.SENDER, Role.OPERATOR)
@records(Act.CONTACT_RENEW_CODE)
@document_response(ContactView)
async def renew_code(key: str) -> ResponseReturnValue:
    """Give a person a new start code, and so new links.

    The former ones join no chat any more; what they have joined stays joined.
    """
    contact, now = await _contact(key), runtime().clock()
    return answer(_view(await stored_contacts.renew_code(runtime().db, contact.id, now, now) or contact))


async def _contact(key: str) -> Contact:
    return _existing(await stored_contacts.get(runtime().db, key), {"id": key})


def _existing(contact: Contact | None, names: Mapping[str, str]) -> Contact:
    """Return the contact. Raises Refusal with the names in the request if it is None."""
    if contact is None:
        raise Refusal(404, "There is no such contact.", dict(names))
    return contact


def _view(contact: Contact) -> ContactView:
    until = contact.code_until(runtime().settings.start_codes_kept)
    code = contact.start_code if runtime().clock() < until else None
    links = {account_key(channel): channel.start_link(code) for channel in all_channels(runtime().channels) if code}
    return ContactView(
        id=contact.id,
        phone=contact.find("phone"),
        external_id=contact.find("externalId"),
        identifiers=list(contact.identifiers),
        name=contact.name or None,
        start_code=code,
        start_code_expires_at=iso(until),
        links={name: link for name, link in links.items() if link},
        merged_ids=list(contact.aliases),
    )

"""Operators begin conversations: with whom, by which account, and whether there is one already."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from gateway.conversations.listing import state
from gateway.conversations.operators import ReplyRequest, reply
from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import (
    ButtonInput,
    IdentifiedInput,
    MediaInput,
    Name,
    RequestError,
    TemplateInput,
    Text,
)
from gateway.domain.api.response import ItemView
from gateway.domain.channel.contract import Channel
from gateway.domain.model.identifier import Identifier, kind_of, without_rivals
from gateway.domain.model.nouns import Address, Contact, Session
from gateway.messages.delivery.reachability import KnownRecipient, address_by_identifier, session_here
from gateway.people.identifiers import normalise, read_identifiers
from gateway.people.sessions import present
from gateway.runtime.runtime import Runtime
from storage.people import contacts, sessions


class StartSessionRequest(IdentifiedInput, kw_only=True):
    """With whom a conversation begins: by an identifier, the provider's id of them, or our id of their contact."""

    channel: Name
    account: Name | None = None
    user_id: Name | None = None
    contact_id: Name | None = None
    name: Annotated[str, Meta(max_length=256)] = ""
    continue_last_or_start_new_session: bool = False
    text: Text = ""
    buttons: Annotated[list[ButtonInput], Meta(max_length=10)] = []  # noqa: RUF012 - msgspec copies it
    media: MediaInput | None = None
    template: TemplateInput | None = None

    @property
    def reply(self) -> ReplyRequest:
        """What is said first."""
        return ReplyRequest(text=self.text, buttons=self.buttons, media=self.media, template=self.template)


@dataclass(frozen=True)
class StartedSession:
    """A conversation that was started. continued: it was open already. message: the first message, if any."""

    session: Session
    continued: bool
    message: ItemView | None


async def start(runtime: Runtime, request: StartSessionRequest, caller: str, key: str | None = None) -> StartedSession:
    """Start a conversation, or continue the existing one. key: under which its message is sent once.

    Raises RequestError, Conflict.
    """
    channel = runtime.channel(request.channel, request.account)
    if channel is None:
        raise RequestError("unknown_channel", "no such channel and account", "channel")
    address, contact = await _address(runtime, channel, request)
    existing = await sessions.here(runtime.db, address.key)
    address = existing.address if existing else address
    if channel.facts.needs_start and (existing is None or existing.started_at is None):
        raise Conflict(f"in {request.channel} the person has to begin: send them a start link")

    def begin(session: Session | None) -> Session:
        if (
            session
            and not session.moved_to
            and state(session) != "closed"
            and not request.continue_last_or_start_new_session
        ):
            raise Conflict(f"there is a conversation already: {session.id}")
        session = present(session, address)
        named = {"contact": session.contact or contact, "name": session.name or request.name}
        return replace(session, closed_at=None, active_at=runtime.clock(), **named)

    session = await sessions.change(runtime.db, address.key, begin) or begin(existing)
    message = None
    if request.text or request.media or request.template:
        try:
            message = await reply(runtime, session, request.reply, caller, key)
        except (RequestError, Conflict):
            await _undo(runtime, existing, session)
            raise
    return StartedSession(session, existing is not None and state(existing) != "closed", message)


async def _undo(runtime: Runtime, existing: Session | None, session: Session) -> None:
    """Restore the session as it was before a start that was refused."""
    if existing is None:
        await sessions.forget(runtime.db, session)
        return
    before = {"closed_at": existing.closed_at, "active_at": existing.active_at}
    await sessions.change(runtime.db, session.id, lambda now: replace(now, **before) if now == session else now)


async def _address(runtime: Runtime, channel: Channel, request: StartSessionRequest) -> tuple[Address, str | None]:
    """Return the person's address on this channel, and their contact's id. Raises RequestError."""
    identifiers = read_identifiers(runtime, request)
    if len(identifiers) + sum(key is not None for key in (request.user_id, request.contact_id)) != 1:
        raise RequestError("no_recipient", "give one of phone, userId, contactId, externalId, or another identifier")
    if request.user_id:
        return _address_of_user(runtime, channel, request.user_id), None
    contact = await _contact(runtime, request, identifiers)
    others = without_rivals(contact.identifiers, identifiers.values())
    names = (*identifiers.values(), *others)
    session = session_here(channel, KnownRecipient(names, await sessions.of_contact(runtime.db, contact)))
    address = session.address if session else address_by_identifier(channel, names)
    if address is None and channel.facts.needs_start:
        raise Conflict(f"in {request.channel} the person has to begin: send them a start link")
    if address is None:
        raise RequestError("no_address", "the person has no address on this channel", "channel")
    return address, contact.id


async def _contact(runtime: Runtime, request: StartSessionRequest, identifiers: Mapping[str, Identifier]) -> Contact:
    """Return the contact whom the request names, created if a channel reaches them by that. Raises RequestError."""
    if request.contact_id:
        contact, field = await contacts.get(runtime.db, request.contact_id), "contactId"
    else:
        ((field, identifier),) = identifiers.items()
        contact = await contacts.find(runtime.db, identifier)
        if contact is None and kind_of(identifier) in runtime.reached_kinds:
            contact = await contacts.join(runtime.db, runtime.clock(), [identifier])
    if contact is None:
        raise RequestError("unknown_contact", "there is no such contact", field)
    return contact


def _address_of_user(runtime: Runtime, channel: Channel, user: str) -> Address:
    """Return a person's address by the provider's id; where that is an identifier, in any form of it."""
    for kind in channel.facts.reaches:
        with suppress(RequestError):
            if address := channel.address_of(normalise(runtime, kind, user)):
                return address
    return Address(channel.facts.name, channel.account, user)

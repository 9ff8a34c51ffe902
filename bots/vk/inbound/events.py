"""Translates VK's calls into our events. VK API: Events in communities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from bots.vk.inbound.contents import command_of, content_of, kind_of, own, pressed_of
from bots.vk.inbound.mentions import FIRST_CHAT, read_mention
from bots.vk.inbound.updates import Message, Permission, Press, read
from gateway.domain.model.event import Echo, Event, Inbound, Subscription, Unrecognised, Visit
from gateway.domain.model.nouns import Address, Content

NAME = "vk"


@dataclass(frozen=True)
class Envelope:
    """What every event of one call needs to know. `event_id`: VK's; older versions of its API send none. `raw`: the
    body.
    """

    account: str
    event_id: str
    type: str
    raw: str
    received_at: datetime
    group_id: int = 0

    def address(self, peer: int) -> Address:
        return Address(NAME, self.account, str(peer))

    def id(self, message: str = "") -> str:
        """Return the event's id: VK's, else that of its message, else the hash of everything in it."""
        fallback = f"{message}:{self.type}" if message else sha256(self.raw.encode()).hexdigest()
        return self.event_id or fallback

    def occasion(self) -> str:
        """Return the id of an event that may happen again in the same words: VK's, else the hash and the time."""
        return self.event_id or f"{self.id()}:{self.received_at.isoformat()}"


def events(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """Return all events of one call. What cannot be read becomes Unrecognised."""
    reader = READERS.get(envelope.type)
    try:
        return reader(envelope, fields) if reader else [_unrecognised(envelope, envelope.type)]
    except msgspec.ValidationError:
        return [_unrecognised(envelope, f"unreadable {envelope.type}")]


def _unrecognised(envelope: Envelope, kind: str) -> Unrecognised:
    return Unrecognised(NAME, envelope.account, envelope.id(), kind, envelope.received_at, envelope.raw)


def _message_new(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """Read a message. Before version 5.103 it was not wrapped."""
    is_wrapped = isinstance(fields, dict) and "message" in fields
    message = read(fields["message"] if is_wrapped else fields, Message)
    if message.out:
        return [_echo(envelope, message)]
    if message.action:
        return [_unrecognised(envelope, str(message.action.get("type", "action")))]
    inbound = _said(envelope, message)
    is_visit = message.ref and inbound.start is None
    return [_visit(envelope, inbound.address, inbound.id, inbound.at, message.ref), inbound] if is_visit else [inbound]


def _said(envelope: Envelope, message: Message) -> Inbound:
    addressed, words = read_mention(message.text, envelope.group_id)
    message = replace(message, text=words)
    command = command_of(message.payload)
    start = message.ref if command.get("command") == "start" else None
    content = content_of(message)
    event = Inbound(
        address=envelope.address(message.peer_id),
        id=envelope.id(_message_id(message)),
        provider_id=_message_id(message),
        content=content,
        at=_time(message.date),
        kind=kind_of(message),
        start=start,
        pressed=pressed_of(command) if start is None else None,
        automatic=message.from_id < 0,
        own=own(message, content),
        raw=envelope.raw,
    )
    if message.peer_id < FIRST_CHAT:
        return event
    return replace(event, author=str(message.from_id), addressed=addressed)


def _message_edit(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """Read what a message says after it was changed. An operator's change is not read."""
    message = read(fields, Message)
    if message.out:
        return [_unrecognised(envelope, envelope.type)]
    edit = _said(envelope, message).as_edit(_time(message.update_time or message.date))
    return [replace(edit, id=envelope.id(f"{_message_id(message)}/{message.update_time}"))]


def _message_event(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """Read a pressed button. VK states neither the time, so that of the call stands in, nor the button's text."""
    press = read(fields, Press)
    command = command_of(press.payload)
    pressed = pressed_of(command) or msgspec.json.encode(command).decode()
    event = Inbound(
        address=envelope.address(press.peer_id),
        id=envelope.id(f"{press.peer_id}/{press.event_id}"),
        provider_id=f"{press.peer_id}/{press.conversation_message_id or press.event_id}",
        content=Content(pressed),
        at=envelope.received_at,
        kind=envelope.type,
        pressed=pressed,
        callback_id=f"{press.user_id}/{press.event_id}",
        author=str(press.user_id) if press.peer_id >= FIRST_CHAT else "",
        raw=envelope.raw,
    )
    return [event]


def _permission(envelope: Envelope, fields: Any) -> Sequence[Event]:
    permission = read(fields, Permission)
    address, id_, at = envelope.address(permission.user_id), envelope.occasion(), envelope.received_at
    active = envelope.type == "message_allow"
    subscription = Subscription(address, id_, active, at, envelope.raw)
    is_visit = active and permission.key
    return [_visit(envelope, address, id_, at, permission.key), subscription] if is_visit else [subscription]


def _message_reply(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """Read a message of the community's. Whether it is ours or an operator's follows from its id in the chat log."""
    return [_echo(envelope, read(fields, Message))]


def _echo(envelope: Envelope, message: Message) -> Echo:
    return Echo(
        address=envelope.address(message.peer_id),
        id=envelope.id(_message_id(message)),
        provider_id=_message_id(message),
        content=content_of(message),
        at=_time(message.date),
        raw=envelope.raw,
    )


def _visit(envelope: Envelope, address: Address, id_: str, at: datetime, start: str) -> Visit:
    """Return the visit that comes in one call with the event `id_`."""
    return Visit(address, f"{id_}:visit", at, start, raw=envelope.raw)


READERS: dict[str, Callable[[Envelope, Any], Sequence[Event]]] = {
    "message_new": _message_new,
    "message_event": _message_event,
    "message_edit": _message_edit,
    "message_allow": _permission,
    "message_deny": _permission,
    "message_reply": _message_reply,
}
"""The events that we ask VK for, and their readers. A server that was set up by hand may send others too."""


def _message_id(message: Message) -> str:
    """Return a message id that is unique across conversations: VK counts messages per conversation."""
    return f"{message.peer_id}/{message.conversation_message_id}"


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

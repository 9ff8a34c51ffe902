"""What VK tells us, as our events. VK API: Events in communities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from bots.vk.inbound.contents import command_of, content_of, kind_of, pressed_of
from bots.vk.inbound.updates import Message, Permission, Press, read
from gateway.domain.model.event import Echo, Event, Inbound, Subscription, Unrecognised, Visit
from gateway.domain.model.nouns import Address, Content

NAME = "vk"


@dataclass(frozen=True)
class Envelope:
    """What every event of one call needs to know. `given_id`: VK's event_id, which older versions do not send."""

    account: str
    given_id: str
    type: str
    raw: str
    received_at: datetime

    def address(self, peer: int) -> Address:
        return Address(NAME, self.account, str(peer))

    def id(self, message: str = "") -> str:
        """Without an event_id, an event is known by its message or by all that it says."""
        fallback = f"{message}:{self.type}" if message else sha256(self.raw.encode()).hexdigest()
        return self.given_id or fallback


def events(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """All that happened in one call. What cannot be read is Unrecognised."""
    reader = READERS.get(envelope.type)
    try:
        return reader(envelope, fields) if reader else [_unrecognised(envelope, envelope.type)]
    except msgspec.ValidationError:
        return [_unrecognised(envelope, f"unreadable {envelope.type}")]


def _unrecognised(envelope: Envelope, kind: str) -> Unrecognised:
    return Unrecognised(NAME, envelope.account, envelope.id(), kind, envelope.received_at, envelope.raw)


def _message_new(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """Before version 5.103 the message was not wrapped."""
    wrapped = isinstance(fields, dict) and "message" in fields
    message = read(fields["message"] if wrapped else fields, Message)
    if message.out:
        return [_echo(envelope, message)]
    if message.action:
        return [_unrecognised(envelope, str(message.action.get("type", "action")))]
    command = command_of(message.payload)
    start = message.ref if command.get("command") == "start" else None
    inbound = Inbound(
        address=envelope.address(message.peer_id),
        id=envelope.id(_message_id(message)),
        provider_id=_message_id(message),
        content=content_of(message),
        at=_time(message.date),
        kind=kind_of(message),
        start=start,
        pressed=pressed_of(command) if start is None else None,
        raw=envelope.raw,
    )
    visited = message.ref and start is None
    return [_visit(envelope, inbound.address, inbound.id, inbound.at, message.ref), inbound] if visited else [inbound]


def _message_event(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """VK does not say when a button was pressed: the time is ours. Nor does it say what was written on it."""
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
        raw=envelope.raw,
    )
    return [event]


def _permission(envelope: Envelope, fields: Any) -> Sequence[Event]:
    permission = read(fields, Permission)
    address, id_, at = envelope.address(permission.user_id), envelope.id(), envelope.received_at
    active = envelope.type == "message_allow"
    subscription = Subscription(address, id_, active, at, envelope.raw)
    visited = active and permission.key
    return [_visit(envelope, address, id_, at, permission.key), subscription] if visited else [subscription]


def _message_reply(envelope: Envelope, fields: Any) -> Sequence[Event]:
    """Ours, or an operator's: the chat log knows which by the message's id."""
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
    """It comes in one call with the event `id_`."""
    return Visit(address, f"{id_}:visit", at, start, raw=envelope.raw)


READERS: dict[str, Callable[[Envelope, Any], Sequence[Event]]] = {
    "message_new": _message_new,
    "message_event": _message_event,
    "message_allow": _permission,
    "message_deny": _permission,
    "message_reply": _message_reply,
}
"""The events that we ask VK for; a server that was set up by hand may send others too."""


def _message_id(message: Message) -> str:
    """VK counts messages per conversation."""
    return f"{message.peer_id}/{message.conversation_message_id}"


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

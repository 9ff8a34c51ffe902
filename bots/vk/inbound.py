"""VK's calls: whether they are genuine, and the events in them. VK API: Callback API, Events in communities."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from bots.vk.contents import command_of, content_of, kind_of, pressed_of
from bots.vk.updates import Message, Permission, Press, read
from gateway.channel import Answer, Call, Forged, Malformed, Parsed
from gateway.model import Address, Content, Echo, Event, Inbound, Subscription, Unrecognised, Visit
from gateway.settings import Secret

NAME = "vk"
CONFIRMATION = "confirmation"


class Proof(Struct):
    """Of every call, the part that says whose it is."""

    group_id: int
    type: Any = None
    secret: str | None = None


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


def verify(group_id: int, secret: Secret, call: Call) -> None:
    """Raise Forged unless the call is about our community and carries the secret key of our callback server.

    A confirmation may come without the key: VK asks before it knows one. It tells nobody anything and does nothing.
    """
    try:
        proof = msgspec.json.decode(call.body, type=Proof)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Forged("the call cannot be read") from None
    if proof.group_id != group_id:
        raise Forged("the call is about another community")
    if proof.secret is None and proof.type == CONFIRMATION:
        return
    if not hmac.compare_digest((proof.secret or "").encode(), secret.reveal().encode()):
        raise Forged("the secret key is missing or wrong")


def parse(account: str, confirmation: str, call: Call) -> Parsed:
    """The events of a call. What cannot be read is Unrecognised; Malformed means that it does not say what it is.

    X-Retry-Counter is left alone: the first try may have failed, and the event's id shows whether it did.
    """
    try:
        body = msgspec.json.decode(call.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not an event of VK's: {error}") from None
    kind, given_id = body.get("type"), body.get("event_id")
    if not isinstance(kind, str) or not kind:
        raise Malformed("not an event of VK's: it has no type")
    if kind == CONFIRMATION:
        return Parsed(answer=Answer(body=confirmation))
    body.pop("secret", None)  # what is stored and shown must not hold it
    raw = msgspec.json.encode(body).decode()
    envelope = Envelope(account, given_id if isinstance(given_id, str) else "", kind, raw, call.received_at)
    return Parsed(_events(envelope, body.get("object")), Answer(body="ok"))


def _events(envelope: Envelope, fields: Any) -> Sequence[Event]:
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

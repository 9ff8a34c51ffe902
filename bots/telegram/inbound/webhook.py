"""Verifies Telegram's calls and reads the event in each. Bot API: Update, setWebhook."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from bots.telegram.inbound import contents, groups
from bots.telegram.inbound.contents import KINDS
from bots.telegram.inbound.updates import CallbackQuery, Membership, Message
from bots.wire.nulls import without_nulls
from gateway.domain.channel.calls import Answer, Call, Forged, Malformed, Parsed
from gateway.domain.channel.secret import Secret
from gateway.domain.model.event import Edit, Event, Inbound, Moved, Subscription, Unrecognised
from gateway.domain.model.nouns import Address, Content

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the header's name

SUBSCRIBED = {"member": True, "kicked": False}


@dataclass(frozen=True)
class Envelope:
    """What every event of one update needs to know. `raw`: the update as JSON. username: our bot's, or ""."""

    account: str
    id: str
    raw: str
    received_at: datetime
    username: str

    def address(self, chat: int) -> Address:
        return Address("telegram", self.account, str(chat))


def verify(secret: Secret, call: Call) -> None:
    """Raise Forged unless the call carries the secret that we gave to setWebhook."""
    token = call.headers.get(SECRET_HEADER, "")
    if not hmac.compare_digest(token.encode(), secret.reveal().encode()):
        raise Forged("the secret token is missing or wrong")


def parse(account: str, call: Call, username: str = "") -> Parsed:
    """Return the one event of an update; an update that cannot be read becomes Unrecognised.

    username: our bot's, by which groups address it. A field that is null counts as missing, and fields beside the
    event's own are passed over. Raises Malformed where the call is no update at all.
    """
    try:
        update = msgspec.json.decode(call.body, type=dict[str, Any])
        number = msgspec.convert(update.pop("update_id", None), int)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not an update of Telegram's: {error}") from None
    if b"null" in call.body:
        update = without_nulls(update)
    envelope = Envelope(account, str(number), call.body.decode(), call.received_at, username)
    kind = next((name for name in update if name in READERS), next(iter(update), "nothing"))
    if event := _event(envelope, kind, update.get(kind)):
        return Parsed([event])
    return Parsed([_unrecognised(envelope, kind)], _acknowledge(kind, update.get(kind)))


def _acknowledge(kind: str, fields: Any) -> Answer:
    """Return the answer to a press that becomes no message of ours: without one, the button goes on spinning.

    Bot API: Making requests when getting updates, answerCallbackQuery.
    """
    match kind, fields:
        case "callback_query", {"id": str(query)}:
            method = {"method": "answerCallbackQuery", "callback_query_id": query}
            return Answer(body=msgspec.json.encode(method).decode(), content_type="application/json")
    return Answer()


def _event(envelope: Envelope, kind: str, fields: Any) -> Event | None:
    reader = READERS.get(kind)
    try:
        return reader(envelope, fields) if reader else None
    except msgspec.ValidationError:
        return None


def _unrecognised(envelope: Envelope, kind: str) -> Unrecognised:
    return Unrecognised("telegram", envelope.account, envelope.id, kind, envelope.received_at, envelope.raw)


def _message(envelope: Envelope, fields: Any) -> Inbound | Moved | None:
    message = msgspec.convert(fields, Message)
    if message.migrate_to_chat_id or message.migrate_from_chat_id:
        return _moved(envelope, message)
    kind = next((kind for kind in KINDS if kind in fields), None)
    if kind is None or message.sender is None:
        return None
    event = Inbound(
        address=envelope.address(message.chat.id),
        id=envelope.id,
        provider_id=_message_id(message),
        content=replace(contents.content(kind, message, fields[kind]), thread=groups.topic(message)),
        at=_time(message.date),
        kind=kind,
        album=message.media_group_id,
        person=contents.person(message.sender, message),
        automatic=groups.is_automatic(message),
        own=contents.own(message),
        raw=envelope.raw,
    )
    event = replace(event, addressed=groups.addressed(event.content.text, envelope.username))
    return _in_group(envelope, event, message) if groups.is_group(message.chat.id) else event


def _moved(envelope: Envelope, message: Message) -> Moved:
    """Read a group's upgrade to a supergroup, which is told in both chats. Bot API: Message, migrate_to_chat_id."""
    chat = message.chat.id
    old, new = message.migrate_from_chat_id or chat, message.migrate_to_chat_id or chat
    return Moved(envelope.address(old), envelope.id, str(new), _time(message.date), raw=envelope.raw)


def _in_group(envelope: Envelope, event: Inbound, message: Message) -> Inbound:
    author, name = groups.author(message)
    text = groups.without_name(event.content.text, envelope.username)
    content, person = replace(event.content, text=text), replace(event.person, name=name)
    return replace(event, author=author, person=person, content=content)


def _edited_message(envelope: Envelope, fields: Any) -> Edit | None:
    event = _message(envelope, fields)
    edited_at = msgspec.convert(fields, Message).edit_date
    if not isinstance(event, Inbound):
        return None
    return event.as_edit(_time(edited_at) if edited_at else event.at)


def _callback_query(envelope: Envelope, fields: Any) -> Inbound:
    """Read a button press. Telegram does not say when it happened, so the time of the call stands in."""
    query = msgspec.convert(fields, CallbackQuery)
    return Inbound(
        address=envelope.address(query.message.chat.id),
        id=envelope.id,
        provider_id=_message_id(query.message),
        content=Content(contents.label(query.message.reply_markup, query.data), thread=groups.topic(query.message)),
        at=envelope.received_at,
        kind="callback_query",
        person=contents.person(query.sender),
        pressed=query.data,
        callback_id=query.id,
        author=str(query.sender.id) if groups.is_group(query.message.chat.id) else "",
        raw=envelope.raw,
    )


def _my_chat_member(envelope: Envelope, fields: Any) -> Subscription | None:
    membership = msgspec.convert(fields, Membership)
    active = SUBSCRIBED.get(membership.new_chat_member.status)
    if membership.chat.type != "private" or active is None:
        return None
    return Subscription(envelope.address(membership.chat.id), envelope.id, active, _time(membership.date), envelope.raw)


READERS: dict[str, Callable[[Envelope, Any], Event | None]] = {
    "message": _message,
    "edited_message": _edited_message,
    "callback_query": _callback_query,
    "my_chat_member": _my_chat_member,
}
"""The updates that we ask Telegram for, and their readers. It sends some others too."""


def _message_id(message: Message) -> str:
    """Return a message id that is unique across chats: Telegram counts messages per chat."""
    return f"{message.chat.id}/{message.message_id}"


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

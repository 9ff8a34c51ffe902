"""Verifies Meta's calls and reads the events in them. Cloud API: Webhooks.

One call may hold many entries, changes, messages and statuses, of several numbers of the app. Every item is read by
itself, and what cannot be read is kept raw: a 4xx would make Meta send all of it again for a week.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from bots.whatsapp.inbound.messages import NOTICES, read_echo, read_edit, read_message
from bots.whatsapp.inbound.moves import read_moves, read_update
from bots.whatsapp.inbound.reports import STATUSES, read_preference, read_status, read_template
from bots.whatsapp.item import dig, digest, items, lists, moment, to_json, word
from gateway.domain.channel.calls import Answer, Call, Forged, Malformed, Parsed
from gateway.domain.channel.secret import Secret
from gateway.domain.model.event import Event, Unrecognised

FORBIDDEN = 403


@dataclass(frozen=True)
class AppAccounts:
    """The accounts that one app signs for. `account` is the one whose URL was called.

    numbers: phone number id -> account. businesses: WhatsApp Business Account id -> accounts.
    """

    account: str
    numbers: Mapping[str, str]
    businesses: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Origin:
    """Where an item was found: the account and the time for it, and the entry that it stands in."""

    account: str
    at: datetime
    entry: object = None

    @property
    def stamp(self) -> str:
        """The entry's time as Meta wrote it."""
        return word(self.entry, "time")

    def unrecognised(self, kind: str, item: object) -> Unrecognised:
        """Return the event that keeps an item raw."""
        id_ = f"{kind}:{digest([self.stamp, item])}"
        return Unrecognised("whatsapp", self.account, id_, kind, self.at, to_json(item))


def verify(call: Call, app_secret: Secret, verify_token: Secret) -> None:
    """Raise Forged unless Meta signed the body, or knows our token at the handshake (Webhooks: Getting started)."""
    if call.method == "GET":
        token = call.query.get("hub.verify_token", "")
        if call.query.get("hub.mode") != "subscribe" or not _is_equal(token, verify_token.reveal()):
            raise Forged("not our verify token", status=FORBIDDEN)
    elif not _is_equal(call.headers.get("x-hub-signature-256", ""), sign(call.body, app_secret)):
        raise Forged("X-Hub-Signature-256 is missing or not of this body")


def sign(body: bytes, app_secret: Secret) -> str:
    """Return the value of X-Hub-Signature-256 for a body."""
    return "sha256=" + hmac.new(app_secret.reveal().encode(), body, hashlib.sha256).hexdigest()


def _is_equal(text: str, expected: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), expected.encode())


def parse(call: Call, app_accounts: AppAccounts) -> Parsed:
    """Return the events of a verified call, in its order. Raises Malformed where it has no list of entries."""
    if call.method == "GET":
        return Parsed(answer=Answer(body=call.query.get("hub.challenge", "")))
    origin = Origin(app_accounts.account, call.received_at)
    return Parsed([event for entry in _entries(call.body) for event in _entry(entry, app_accounts, origin)])


class Envelope(Struct):
    """The outermost shape of a webhook; what is in its entries is read item by item."""

    entry: list[Any]


def _entries(body: bytes) -> list[Any]:
    try:
        return msgspec.json.decode(body, type=Envelope).entry
    except msgspec.ValidationError:
        raise Malformed("there is no list of entries") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("the body is not JSON") from None


def _read_or_keep(kind: str, item: object, origin: Origin, read: Callable[[], Iterable[Event]]) -> Iterator[Event]:
    """Return the item's events, or the raw item where it has none: nothing that Meta sent is lost."""
    try:
        yield from list(read()) or [origin.unrecognised(kind, item)]
    except ValueError:
        yield origin.unrecognised(f"unreadable {kind}", item)


def _entry(entry: object, app_accounts: AppAccounts, origin: Origin) -> Iterator[Event]:
    origin = _origin_of(entry, origin)
    changes = items(entry, "changes")
    if not changes:
        yield origin.unrecognised("unreadable entry", entry)
    for change in changes:
        field = word(change, "field")
        read = partial(_change, field, change, entry, app_accounts, origin)
        yield from _read_or_keep(field or "change", change, origin, read)


def _origin_of(entry: object, origin: Origin) -> Origin:
    try:
        return Origin(origin.account, moment(entry, "time", origin.at), entry)
    except ValueError:
        return origin


def _change(field: str, change: object, entry: object, app_accounts: AppAccounts, origin: Origin) -> Iterator[Event]:
    """Return the events of a change; none for a field that we do not read."""
    value = dig(change, "value")
    match field:
        case "messages":
            yield from _messages(value, app_accounts, origin)
        case "smb_message_echoes":
            yield from _items(value, "message_echoes", read_echo, app_accounts, origin)
        case "user_preferences":
            yield from _items(value, field, read_preference, app_accounts, origin)
        case "user_id_update":
            yield from _items(value, field, read_update, app_accounts, origin)
        case "message_template_status_update":
            accounts = app_accounts.businesses.get(word(entry, "id"), ())
            yield from read_template(value, accounts, origin.at, digest([origin.stamp, value]))


Reader = Callable[[object, Sequence[object], str, datetime], Event]


def _items(value: object, field: str, read: Reader, app_accounts: AppAccounts, origin: Origin) -> Iterator[Event]:
    """Return the events of a change whose items stand under its own name."""
    account = app_accounts.numbers.get(word(value, "metadata", "phone_number_id"))
    contacts, changes = lists(value, "contacts", field)
    for item in changes if account else ():
        yield from _read_or_keep(field, item, origin, partial(_item, read, item, contacts, account or "", origin.at))


def _item(read: Reader, item: object, contacts: Sequence[object], account: str, at: datetime) -> Iterator[Event]:
    yield read(item, contacts, account, at)


def _messages(value: object, app_accounts: AppAccounts, origin: Origin) -> Iterator[Event]:
    account = app_accounts.numbers.get(word(value, "metadata", "phone_number_id"))
    contacts, messages, statuses, errors = lists(value, "contacts", "messages", "statuses", "errors")
    if account is None and (messages or statuses):
        yield origin.unrecognised("another number", value)
        return
    origin = replace(origin, account=account or origin.account)
    for item in messages:
        yield from _read_or_keep("message", item, origin, partial(_message, item, contacts, origin))
    for item in statuses:
        yield from _read_or_keep("status", item, origin, partial(_status, item, origin))
    for item in errors:
        yield origin.unrecognised("errors", item)


def _message(item: object, contacts: Sequence[object], origin: Origin) -> Iterator[Event]:
    kind = word(item, "type")
    if kind == "system" and (moves := read_moves(item, origin.account, origin.at)):
        yield from moves
    elif kind in NOTICES:
        yield origin.unrecognised(kind, item)
    elif kind == "edit":
        yield read_edit(item, contacts, origin.account, origin.at)
    else:
        yield read_message(item, contacts, origin.account, origin.at)


def _status(item: object, origin: Origin) -> Iterator[Event]:
    status = word(item, "status")
    if status in STATUSES:
        yield read_status(item, status, origin.account, origin.at)
    else:
        yield origin.unrecognised(f"status {status}".strip(), item)

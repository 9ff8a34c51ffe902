"""Meta's calls to us: is it Meta, and what is in it (Cloud API: Webhooks).

One call may hold many entries, changes, messages and statuses, of several numbers of the app. Every item is read by
itself, and what cannot be read is kept as such: a 4xx would make Meta send all of it again for a week.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import msgspec

from bots.whatsapp.inbound.messages import AFTERTHOUGHTS, read_message
from bots.whatsapp.inbound.reports import STATUSES, read_preferences, read_status, read_template
from bots.whatsapp.item import dig, digest, items, moment, word, written
from gateway.domain.channel.calls import Answer, Call, Forged, Malformed, Parsed
from gateway.domain.channel.secret import Secret
from gateway.domain.model.event import Event, Unrecognised

FORBIDDEN = 403


@dataclass(frozen=True)
class Family:
    """The accounts that one app signs for. `account` is the one whose URL was called.

    numbers: phone number id -> account. businesses: WhatsApp Business Account id -> accounts.
    """

    account: str
    numbers: Mapping[str, str]
    businesses: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Place:
    """Where an item was found: what it does not say itself. `stamp` is its entry's time as Meta wrote it."""

    account: str
    at: datetime
    stamp: str = ""

    def unrecognised(self, kind: str, item: object) -> Unrecognised:
        name = f"{kind}:{digest([self.stamp, item])}"
        return Unrecognised("whatsapp", self.account, name, kind, self.at, written(item))


def verify(call: Call, app_secret: Secret, verify_token: Secret) -> None:
    """Raise Forged unless Meta signed the body, or knows our token at the handshake (Webhooks: Getting started)."""
    if call.method == "GET":
        token = call.query.get("hub.verify_token", "")
        if call.query.get("hub.mode") != "subscribe" or not _same(token, verify_token.reveal()):
            raise Forged("not our verify token", status=FORBIDDEN)
    elif not _same(call.headers.get("x-hub-signature-256", ""), sign(call.body, app_secret)):
        raise Forged("X-Hub-Signature-256 is missing or not of this body")


def sign(body: bytes, app_secret: Secret) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(app_secret.reveal().encode(), body, hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def parse(call: Call, family: Family) -> Parsed:
    """The events of a verified call, in its order. Raises Malformed where it has no list of entries."""
    if call.method == "GET":
        return Parsed(answer=Answer(body=call.query.get("hub.challenge", "")))
    entries = dig(_decoded(call.body), "entry")
    if not isinstance(entries, list):
        raise Malformed("there is no list of entries")
    place = Place(family.account, call.received_at)
    return Parsed([event for entry in entries for event in _entry(entry, family, place)])


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("the body is not JSON") from None


def _guarded(what: str, item: object, place: Place, read: Callable[[], Iterable[Event]]) -> Iterator[Event]:
    """The item's events; itself, unread, where there are none: nothing that Meta sent goes unseen."""
    try:
        yield from list(read()) or [place.unrecognised(what, item)]
    except ValueError:
        yield place.unrecognised(f"unreadable {what}", item)


def _entry(entry: object, family: Family, place: Place) -> Iterator[Event]:
    place = _dated(entry, place)
    changes = items(entry, "changes")
    if not changes:
        yield place.unrecognised("unreadable entry", entry)
    for change in changes:
        what = word(change, "field") or "change"
        yield from _guarded(what, change, place, partial(_change, change, entry, family, place))


def _dated(entry: object, place: Place) -> Place:
    stamp = word(entry, "time")
    try:
        return Place(place.account, moment(stamp, place.at), stamp)
    except ValueError:
        return place


def _change(change: object, entry: object, family: Family, place: Place) -> Iterator[Event]:
    """Nothing for the fields that we have no word for."""
    value = dig(change, "value")
    match word(change, "field"):
        case "messages":
            yield from _messages(value, family, place)
        case "user_preferences":
            account = family.numbers.get(word(value, "metadata", "phone_number_id"))
            if account:
                yield from read_preferences(value, account, place.at)
        case "message_template_status_update":
            accounts = family.businesses.get(word(entry, "id"), ())
            yield from read_template(value, accounts, place.at, digest([place.stamp, value]))


def _messages(value: object, family: Family, place: Place) -> Iterator[Event]:
    account = family.numbers.get(word(value, "metadata", "phone_number_id"))
    if account is None and (items(value, "messages") or items(value, "statuses")):
        yield place.unrecognised("another number", value)
        return
    place = replace(place, account=account or place.account)
    contacts = items(value, "contacts")
    for item in items(value, "messages"):
        yield from _guarded("message", item, place, partial(_message, item, contacts, place))
    for item in items(value, "statuses"):
        yield from _guarded("status", item, place, partial(_status, item, place))
    for item in items(value, "errors"):
        yield place.unrecognised("errors", item)


def _message(item: object, contacts: Sequence[object], place: Place) -> Iterator[Event]:
    kind = word(item, "type")
    if kind in AFTERTHOUGHTS:
        yield place.unrecognised(kind, item)
    else:
        yield read_message(item, contacts, place.account, place.at)


def _status(item: object, place: Place) -> Iterator[Event]:
    status = word(item, "status")
    if status in STATUSES:
        yield read_status(item, place.account, place.at)
    else:
        yield place.unrecognised(f"status {status}".strip(), item)

"""Verifies Viber's calls, reads the event in each, and answers with the welcome message. REST Bot API: Callbacks."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from bots.viber.inbound import contents
from bots.viber.inbound.callbacks import ConversationStarted, Message, Report, Subscribed, Unsubscribed
from gateway.domain.channel.calls import Answer, Call, Forged, Malformed, Parsed
from gateway.domain.channel.secret import Secret
from gateway.domain.model.event import Event, Inbound, Receipt, Subscription, Unrecognised, Visit
from gateway.domain.model.nouns import Address, Cause, Progress

NAME = "viber"
SIGNATURE = "x-viber-content-signature"
WEBHOOK = "webhook"
"""The event with which Viber tests a new webhook; it needs no more than the 200."""

LAST_MOMENT = 253402300799999
"""Milliseconds: the year 9999, where Python's own calendar ends."""

PROGRESS = {"delivered": Progress.DELIVERED, "seen": Progress.READ, "failed": Progress.FAILED}


@dataclass(frozen=True)
class Envelope:
    """What every event needs to know of the call that it came in. `raw`: the call's body."""

    account: str
    kind: str
    token: str
    at: datetime
    raw: str

    def address(self, user: str) -> Address:
        return Address(NAME, self.account, user)

    def id(self, user: str) -> str:
        """Return the event's id. A token may occur in several events, and a broadcast's in those of many people."""
        return f"{self.token}:{self.kind}:{user}"


def sign(token: Secret, body: bytes) -> str:
    """Return Viber's signature of a body. REST Bot API: Callbacks, validating the signature."""
    return hmac.digest(token.reveal().encode(), body, "sha256").hex()


def verify(token: Secret, call: Call) -> None:
    """Raise Forged unless the signature covers exactly this body."""
    signature = call.headers.get(SIGNATURE, "").lower()
    if not hmac.compare_digest(signature.encode(), sign(token, call.body).encode()):
        raise Forged("X-Viber-Content-Signature is missing or wrong")


def parse(account: str, call: Call, welcome: Callable[[str], Answer]) -> Parsed:
    """Return the one event of a call, and the welcome message for a visitor who is not subscribed.

    An event that cannot be read becomes Unrecognised. Raises Malformed where the call names no event.
    """
    try:
        fields = msgspec.json.decode(call.body, type=dict[str, Any])
        kind = msgspec.convert(fields.get("event"), str)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not a callback of Viber's: {error}") from None
    if kind == WEBHOOK:
        return Parsed()
    envelope = _envelope(account, kind, fields, call)
    try:
        event = READERS.get(kind, _unknown)(envelope, fields)
    except msgspec.ValidationError:
        return Parsed([_unrecognised(envelope, f"unreadable {kind}")])
    if isinstance(event, Visit) and fields.get("subscribed") is not True:
        return Parsed([event], welcome(event.start))
    return Parsed([event])


def _envelope(account: str, kind: str, fields: Mapping[str, Any], call: Call) -> Envelope:
    """Build the envelope. Where Viber names no token or time, those of the call stand in."""
    token, timestamp = fields.get("message_token"), fields.get("timestamp")
    event_token = str(token) if token and isinstance(token, int | str) else sha256(call.body).hexdigest()
    milliseconds = timestamp if isinstance(timestamp, int) and 0 < timestamp <= LAST_MOMENT else None
    at = datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else call.received_at
    return Envelope(account, kind, event_token, at, call.body.decode())


def _message(envelope: Envelope, fields: Mapping[str, Any]) -> Event:
    callback = msgspec.convert(fields, Message)
    if callback.silent and contents.is_link(callback.message):
        # This is how the app reports that a person has opened a button's address: they have not written to us.
        return _unrecognised(envelope, "opened link")
    return Inbound(
        address=envelope.address(callback.sender.id),
        id=envelope.token,
        provider_id=f"{callback.sender.id}/{envelope.token}",
        content=contents.content(callback.message),
        at=envelope.at,
        kind=callback.message.type,
        person=contents.person(callback.sender),
        own=contents.own(callback.message),
        raw=envelope.raw,
    )


def _conversation_started(envelope: Envelope, fields: Mapping[str, Any]) -> Event:
    callback = msgspec.convert(fields, ConversationStarted)
    address, id_ = envelope.address(callback.user.id), envelope.id(callback.user.id)
    return Visit(address, id_, envelope.at, callback.context or "", contents.person(callback.user), envelope.raw)


def _subscribed(envelope: Envelope, fields: Mapping[str, Any]) -> Event:
    return _subscription(envelope, msgspec.convert(fields, Subscribed).user.id, active=True)


def _unsubscribed(envelope: Envelope, fields: Mapping[str, Any]) -> Event:
    return _subscription(envelope, msgspec.convert(fields, Unsubscribed).user_id, active=False)


def _subscription(envelope: Envelope, user: str, *, active: bool) -> Subscription:
    return Subscription(envelope.address(user), envelope.id(user), active, envelope.at, envelope.raw)


def _report(envelope: Envelope, fields: Mapping[str, Any]) -> Event:
    """Read a receipt. A failure comes from the person's app, which could not show what Viber had accepted."""
    report, has_failed = msgspec.convert(fields, Report), envelope.kind == "failed"
    return Receipt(
        channel=NAME,
        account=envelope.account,
        id=envelope.id(report.user_id),
        provider_id=f"{report.user_id}/{report.message_token}",
        progress=PROGRESS[envelope.kind],
        at=envelope.at,
        reason=report.desc or "the person's Viber could not show it" if has_failed else "",
        cause=Cause.REFUSED if has_failed else None,
        raw=envelope.raw,
    )


def _unknown(envelope: Envelope, _: Mapping[str, Any]) -> Event:
    return _unrecognised(envelope, envelope.kind)


def _unrecognised(envelope: Envelope, kind: str) -> Unrecognised:
    return Unrecognised(NAME, envelope.account, envelope.id(""), kind, envelope.at, envelope.raw)


READERS: Mapping[str, Callable[[Envelope, Mapping[str, Any]], Event]] = {
    "message": _message,
    "conversation_started": _conversation_started,
    "subscribed": _subscribed,
    "unsubscribed": _unsubscribed,
    **dict.fromkeys(PROGRESS, _report),
}

"""Verifies VK's calls, reads their events, and gives the answers that VK expects. VK API: Callback API."""

import hmac
from typing import Any

import msgspec
from msgspec import Struct

from bots.vk.inbound.events import Envelope, events
from bots.wire.nulls import without_nulls
from gateway.domain.channel.calls import Answer, Call, Forged, Malformed, Parsed
from gateway.domain.channel.secret import Secret

CONFIRMATION = "confirmation"


class Proof(Struct):
    """The part of a call that shows whom it is for and from."""

    group_id: int
    type: Any = None
    secret: str | None = None


def verify(group_id: int, secret: Secret, call: Call) -> None:
    """Raise Forged unless the call is about our community and carries the secret key of our callback server.

    A confirmation may come without the key, because VK asks before it knows one. It reveals and changes nothing.
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
    """Return the events of a call. An event that cannot be read becomes Unrecognised.

    Raises Malformed where the call names no type. X-Retry-Counter is ignored: the first try may have failed, and the
    event's id shows whether it did.
    """
    try:
        body = msgspec.json.decode(call.body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not an event of VK's: {error}") from None
    kind, event_id, group_id = body.get("type"), body.get("event_id"), body.get("group_id")
    if not isinstance(kind, str) or not kind:
        raise Malformed("not an event of VK's: it has no type")
    if kind == CONFIRMATION:
        return Parsed(answer=Answer(body=confirmation))
    body.pop("secret", None)  # what is stored and shown must not hold it
    raw = msgspec.json.encode(body).decode()
    event_id, group_id = event_id if isinstance(event_id, str) else "", group_id if isinstance(group_id, int) else 0
    envelope = Envelope(account, event_id, kind, raw, call.received_at, group_id)
    fields = body.get("object")
    return Parsed(events(envelope, without_nulls(fields) if b"null" in call.body else fields), Answer(body="ok"))

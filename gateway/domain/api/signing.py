"""Signatures of callbacks: how they are made, and how a receiver verifies them. Pure.

    verify(secret, request.headers, body, datetime.now(UTC))      raises Unsigned; then the body may be believed

The signature is over the time and the raw body, so that neither can be changed, and an old call cannot be sent again.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

TIMESTAMP, SIGNATURE, EVENT = "X-Gateway-Timestamp", "X-Gateway-Signature", "X-Gateway-Event"
"""Headers: seconds since 1970; v1=<hex> for each secret, separated by commas; the event's id, the same in every try."""

TOLERANCE = timedelta(minutes=5)
"""How far the clocks of sender and receiver may differ, the time on the wire included."""

LONGEST = 12
"""Digits of a timestamp."""


class Unsigned(Exception):
    """The callback is not ours, was changed on its way, or is an old one sent again."""


def sign(secrets: Sequence[str], event: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers of a callback with this event id and body.

    Every secret signs: with two of them, receivers can change from one to the other.
    """
    stamp = str(int(now.timestamp()))
    signatures = ",".join(f"v1={_signature(secret, stamp, body)}" for secret in secrets)
    return {TIMESTAMP: stamp, SIGNATURE: signatures, EVENT: event}


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raise Unsigned unless the callback is signed with this secret and at most TOLERANCE old.

    Signatures are compared in constant time. Header names may be in any case.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    stamp = lowered.get(TIMESTAMP.lower(), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= LONGEST):
        raise Unsigned("it has no time")
    expected = f"v1={_signature(secret, stamp, body)}".encode()
    signatures = lowered.get(SIGNATURE.lower(), "").encode(errors="replace").split(b",")
    if not any([hmac.compare_digest(signature.strip(), expected) for signature in signatures]):  # noqa: C419 - all of them, always
        raise Unsigned("the signature is wrong")
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > TOLERANCE:
        raise Unsigned("it is too old")


def _signature(secret: str, stamp: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()

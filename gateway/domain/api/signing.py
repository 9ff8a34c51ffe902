"""How our calls to callers are signed, and how a receiver knows that one is ours. Pure.

    verify(secret, request.headers, body, datetime.now(UTC))      raises Unsigned; then the body may be believed

The signature is over the time and the raw body, so that neither can be changed, and an old call cannot be sent again.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

TIMESTAMP, SIGNATURE, EVENT = "X-Gateway-Timestamp", "X-Gateway-Signature", "X-Gateway-Event"
"""Seconds since 1970; v1=<hex>, one for each secret, with commas between; the event's id, the same however often."""

TOLERANCE = timedelta(minutes=5)
"""How far the clocks of the two may differ, the way included."""

LONGEST = 12
"""Digits of a time."""


class Unsigned(Exception):
    """The call is not ours, was changed on the way, or is an old one again."""


def signed(secrets: Sequence[str], event: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of a call; with two secrets, so that receivers can change to a new one, both sign."""
    stamp = str(int(now.timestamp()))
    signatures = ",".join(f"v1={_signature(secret, stamp, body)}" for secret in secrets)
    return {TIMESTAMP: stamp, SIGNATURE: signatures, EVENT: event}


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raise Unsigned unless the call is ours and young. In constant time; header names in any case."""
    given = {name.lower(): value for name, value in headers.items()}
    stamp = given.get(TIMESTAMP.lower(), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= LONGEST):
        raise Unsigned("it has no time")
    wanted = f"v1={_signature(secret, stamp, body)}".encode()
    told = given.get(SIGNATURE.lower(), "").encode(errors="replace").split(b",")
    if not any([hmac.compare_digest(one.strip(), wanted) for one in told]):  # noqa: C419 - all of them, always
        raise Unsigned("the signature is wrong")
    if abs(now - datetime.fromtimestamp(int(stamp), UTC)) > TOLERANCE:
        raise Unsigned("it is too old")


def _signature(secret: str, stamp: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()

"""Links by which a file can be had without a key for a while: the id, and the proof that we made it. Pure."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

LIFE = timedelta(days=1)
"""How long the link to a person's file leads anywhere. It ends with an hour, so that it is the same for a while."""

LONGEST_NAME = 64
"""Characters of a file's name in a link: its end, with the extension, by which some providers go."""

DIGITS = 10
"""Hexadecimal digits of a moment, at most."""


class Expired(Exception):
    """The link was ours, and its time is over."""


def file_link(secret: str, base: str, key: str, name: str, until: datetime) -> str:
    """Return the link to a file. name: what the address ends with, which says nothing of the file itself."""
    return f"{base}/media/{key}/{_proof(secret, key, int(until.timestamp()))}/{quote(name[-LONGEST_NAME:], safe='')}"


def life_from(now: datetime) -> datetime:
    """Return until when a link holds that is made now."""
    return (now + LIFE).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def check_link(secrets: Sequence[str], key: str, proof: str, now: datetime) -> bool:
    """Tell whether a link is ours, by any of these secrets. Raises Expired once its time is over.

    Proofs are compared in constant time.
    """
    moment = proof.partition("-")[0]
    if len(moment) > DIGITS or not all(digit in "0123456789abcdef" for digit in moment) or not moment:
        return False
    until, given = int(moment, 16), proof.encode(errors="replace")
    if not any([hmac.compare_digest(given, _proof(secret, key, until).encode()) for secret in secrets]):  # noqa: C419 - all of them, always
        return False
    if now.timestamp() >= until:
        raise Expired(datetime.fromtimestamp(until, UTC))
    return True


def _proof(secret: str, key: str, until: int) -> str:
    signature = hmac.digest(secret.encode(), f"file\n{key}\n{until}".encode(), "sha256")[:16]
    return f"{until:x}-{urlsafe_b64encode(signature).decode().rstrip('=')}"

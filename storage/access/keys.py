"""API keys and remembered requests: both are found by a digest, so that neither can be read back."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

import msgspec
from msgspec import Struct
from pymongo.errors import DuplicateKeyError

from gateway.domain.api.roles import Role
from storage.documents.documents import Db, from_document, to_document

HOUR = timedelta(hours=1)


def digest(secret: str | bytes) -> str:
    """SHA-256 is enough here: our keys are 256 random bits, there is nothing to guess."""
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).hexdigest()


class Key(Struct, frozen=True):
    """`id` is the key's digest; used_at: to the hour."""

    id: str
    name: str
    created_at: datetime
    role: Role = Role.SENDER
    used_at: datetime | None = None


async def create_key(db: Db, name: str, now: datetime, role: Role) -> str:
    """A new API key under this name. It is shown once and stored as a digest."""
    secret = f"gw_{token_urlsafe(32)}"
    await db["keys"].insert_one(to_document(Key(digest(secret), name, now, role)))
    return secret


async def list_keys(db: Db) -> list[Key]:
    """All keys, in the order in which they were made."""
    return sorted([from_document(Key, key) async for key in db["keys"].find()], key=lambda key: key.created_at)


async def revoke_keys(db: Db, name: str) -> int:
    """Take back every key of this name; how many there were."""
    return (await db["keys"].delete_many({"name": name})).deleted_count


async def key(db: Db, secret: str, now: datetime) -> Key | None:
    """Whose key this is; that it is used is noted once an hour."""
    found = await db.shared("keys").get(digest(secret))
    if found is None:
        return None
    known = from_document(Key, found)
    if known.used_at is None or now - known.used_at >= HOUR:
        await db["keys"].update_one(
            {"_id": known.id}, {"$set": {"used_at": now.replace(minute=0, second=0, microsecond=0)}}
        )
    return known


class KeyConflict(Exception):
    """The same Idempotency-Key came with another body."""


@dataclass(frozen=True)
class Known:
    """A request that came before. answer: what was answered, or None where it broke off, or is still at work."""

    answer: Any


async def claim(db: Db, key: str, body: bytes, now: datetime) -> Known | None:
    """Note that this key was used. None: for the first time. Raises KeyConflict if it was with another body."""
    try:
        await db["requests"].insert_one({"_id": key, "body": digest(body), "at": now})
    except DuplicateKeyError:
        return await recalled(db, key, body) or Known(None)
    return None


async def recalled(db: Db, key: str, body: bytes) -> Known | None:
    """What there was under this key. Raises KeyConflict if it came with another body."""
    known = await db["requests"].find_one({"_id": key})
    if known is None:
        return None
    if known["body"] != digest(body):
        raise KeyConflict(key)
    return Known(msgspec.json.decode(known["answer"]) if "answer" in known else None)


async def remember(db: Db, key: str, answer: Any) -> Any:
    """The answer that belongs to this key: the given one, or the one that somebody was faster to give."""
    own = {"$literal": msgspec.json.encode(answer)}
    await db["requests"].update_one({"_id": key}, [{"$set": {"answer": {"$ifNull": ["$answer", own]}}}])
    known = await db["requests"].find_one({"_id": key})
    return msgspec.json.decode(known["answer"]) if known else answer

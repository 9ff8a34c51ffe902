"""API keys and remembered requests. Both are found by a digest, so neither can be read back from the database."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from msgspec import Struct
from pymongo.errors import DuplicateKeyError

from gateway.domain.api.roles import Role
from storage.documents import documents
from storage.documents.documents import Db, from_document, to_document

HOUR = timedelta(hours=1)


def digest(secret: str | bytes) -> str:
    """Return the SHA-256 of a secret, in hex.

    A slow hash is not needed: our keys are 256 random bits, so there is nothing to guess.
    """
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).hexdigest()


class Key(Struct, frozen=True):
    """An API key. `id` is the digest of the secret; `used_at` is the hour of its last use."""

    id: str
    name: str
    created_at: datetime
    role: Role = Role.SENDER
    used_at: datetime | None = None


async def create_key(db: Db, name: str, now: datetime, role: Role) -> str:
    """Create an API key under this name. Returns the secret, which is shown once and stored as a digest."""
    secret = f"gw_{token_urlsafe(32)}"
    await db["keys"].insert_one(to_document(Key(digest(secret), name, now, role)))
    return secret


async def list_keys(db: Db) -> list[Key]:
    """Return all keys, the oldest first."""
    return sorted([from_document(Key, key) async for key in db["keys"].find()], key=lambda key: key.created_at)


async def revoke_keys(db: Db, name: str) -> int:
    """Delete every key of this name. Returns how many there were."""
    return (await db["keys"].delete_many({"name": name})).deleted_count


async def revoke_key(db: Db, key_id: str) -> Key | None:
    """Delete this one key. Returns it, or None if there is none."""
    document = await db["keys"].find_one_and_delete({"_id": key_id})
    return from_document(Key, document) if document else None


async def find_key(db: Db, secret: str, now: datetime) -> Key | None:
    """Return the key with this secret, or None. Its use is noted at most once an hour."""
    key = await documents.read(db, "keys", Key, digest(secret))
    if key is None:
        return None
    if key.used_at is None or now - key.used_at >= HOUR:
        await db["keys"].update_one(
            {"_id": key.id},
            {"$set": {"used_at": max(now.replace(minute=0, second=0, microsecond=0), key.created_at)}},
        )
    return key


class KeyConflict(Exception):
    """The same Idempotency-Key came with another body."""


@dataclass(frozen=True)
class PastRequest:
    """A request that came before, and its answer: None if it broke off, or is still being worked on."""

    answer: bytes | None


PIECE = 4 * 1024 * 1024
"""Bytes of an answer in one document, which can hold 16 MB: a larger answer is kept in pieces."""


async def claim_request(db: Db, key: str, body: bytes, now: datetime) -> PastRequest | None:
    """Record the first use of this Idempotency-Key.

    Returns None if the key is new, otherwise the request that used it. Raises KeyConflict if that had another body.
    """
    try:
        await db["requests"].insert_one({"_id": key, "body": digest(body), "at": now})
    except DuplicateKeyError:
        return await find_request(db, key, body) or PastRequest(None)
    return None


async def find_request(db: Db, key: str, body: bytes) -> PastRequest | None:
    """Return the request that used this key, or None. Raises KeyConflict if it had another body."""
    document = await db["requests"].find_one({"_id": key})
    if document is None:
        return None
    if document["body"] != digest(body):
        raise KeyConflict(key)
    return PastRequest(await _read_answer(db, document["answer"]) if "answer" in document else None)


async def remember_answer(db: Db, key: str, answer: bytes, now: datetime) -> bytes:
    """Store the answer to the request with this key, unless it has one already. Returns the stored answer."""
    own: Any = answer
    if len(answer) > PIECE:
        version = await asyncio.to_thread(digest, answer)
        own = [f"{key}/{version}/{start}" for start in range(-(-len(answer) // PIECE))]
        for start, piece in enumerate(own):
            document = {"piece": answer[start * PIECE : (start + 1) * PIECE], "at": now}
            await db["requests"].replace_one({"_id": piece}, document, upsert=True)
    new = {"$ifNull": ["$answer", {"$literal": own}]}
    await db["requests"].update_one({"_id": key}, [{"$set": {"answer": new}}])
    stored = await db["requests"].find_one({"_id": key})
    return await _read_answer(db, stored["answer"]) or answer if stored else answer


async def _read_answer(db: Db, stored: bytes | list[str]) -> bytes | None:
    """Return an answer as it was stored, or None if a piece of it is there no more."""
    if isinstance(stored, bytes):
        return stored
    pieces = [await db["requests"].find_one({"_id": piece}) for piece in stored]
    return b"".join(piece["piece"] for piece in pieces if piece) if all(pieces) else None

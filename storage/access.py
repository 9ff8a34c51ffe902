"""API keys and remembered requests: both are found by a digest, so that neither can be read back."""

import hashlib
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

import msgspec
from pymongo.errors import DuplicateKeyError

from storage.database import Db
from storage.documents import Document


def digest(secret: str | bytes) -> str:
    """SHA-256 is enough here: our keys are 256 random bits, there is nothing to guess."""
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).hexdigest()


async def create_key(db: Db, name: str, now: datetime) -> str:
    """A new API key under this name. It is shown once and stored as a digest."""
    secret = f"gw_{token_urlsafe(32)}"
    await db["keys"].insert_one({"_id": digest(secret), "name": name, "created_at": now})
    return secret


async def list_keys(db: Db) -> list[tuple[str, datetime]]:
    """Names of all keys, with when they were made."""
    return sorted([(key["name"], key["created_at"]) async for key in db["keys"].find()], key=lambda key: key[1])


async def revoke_keys(db: Db, name: str) -> int:
    """Take back every key of this name; how many there were."""
    return (await db["keys"].delete_many({"name": name})).deleted_count


async def key_name(db: Db, secret: str) -> str | None:
    """Whose key this is. Found by its digest, which an attacker cannot steer, so timing tells nothing."""
    found = await db.shared("keys").get(digest(secret))
    return found["name"] if found else None


class Conflict(Exception):
    """The same Idempotency-Key came with another body."""


async def remember(db: Db, key: str, body: bytes, answer: Any, now: datetime) -> Any:
    """The answer that belongs to this key: the given one, or the one that was given before.

    Raises Conflict if the key was used with another body.
    """
    document: Document = {"_id": key, "body": digest(body), "answer": msgspec.json.encode(answer), "at": now}
    try:
        await db["requests"].insert_one(document)
    except DuplicateKeyError:
        known = await db["requests"].find_one({"_id": key}) or document
        if known["body"] != document["body"]:
            raise Conflict(key) from None
        return msgspec.json.decode(known["answer"])
    return answer

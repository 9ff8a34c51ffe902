"""People who sign in: their passwords as hashes, their tokens as digests, and how often a sign-in has failed."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from pymongo.errors import DuplicateKeyError

from gateway.domain.api.roles import Role
from storage.documents.documents import Db, from_document, to_document
from storage.documents.trips import Document

Kind = Literal["access", "refresh"]


class User(Struct, frozen=True):
    """`id` is the e-mail address in lower case; `password` its hash."""

    id: str
    password: str
    role: Role
    created_at: datetime


class Token(Struct, frozen=True, omit_defaults=True):
    """`id` is the digest of the token itself. family: what one sign-in has led to.

    used: it has been changed for others.
    """

    id: str
    kind: Kind
    user: str
    role: Role
    family: str
    expires_at: datetime
    used: str | None = None


async def add_user(db: Db, user: User) -> bool:
    """False if there is one with this address."""
    try:
        await db["users"].insert_one(to_document(user))
    except DuplicateKeyError:
        return False
    return True


async def user(db: Db, email: str) -> User | None:
    found = await db["users"].find_one({"_id": email})
    return from_document(User, found) if found else None


async def users(db: Db) -> list[User]:
    return sorted([from_document(User, found) async for found in db["users"].find()], key=lambda one: one.id)


async def set_password(db: Db, email: str, password: str) -> bool:
    """False if there is no such user. All that they are signed in with ends."""
    changed = (await db["users"].update_one({"_id": email}, {"$set": {"password": password}})).matched_count
    await sign_out(db, email)
    return bool(changed)


async def rehash(db: Db, email: str, old: str, new: str) -> None:
    """The same password under newer parameters, unless it was changed meanwhile."""
    kept = {"$cond": [{"$eq": ["$password", old]}, new, "$password"]}
    await db["users"].update_one({"_id": email}, [{"$set": {"password": kept}}])


async def delete_user(db: Db, email: str) -> bool:
    deleted = (await db["users"].delete_one({"_id": email})).deleted_count
    await sign_out(db, email)
    return bool(deleted)


async def sign_out(db: Db, email: str) -> None:
    """Every token of theirs ends."""
    await db["tokens"].delete_many({"user": email})


async def end_family(db: Db, family: str) -> None:
    await db["tokens"].delete_many({"family": family})


async def add_tokens(db: Db, *tokens: Token) -> None:
    await db["tokens"].insert_many([to_document(token) for token in tokens])


async def token(db: Db, digest: str) -> Token | None:
    found = await db.shared("tokens").get(digest)
    return from_document(Token, found) if found else None


async def use(db: Db, digest: str, by: str) -> bool:
    """Change this refresh token for others; false if somebody has done so already."""
    await db["tokens"].update_one({"_id": digest}, [{"$set": {"used": {"$ifNull": ["$used", by]}}}])
    found = await token(db, digest)
    return found is not None and found.used == by


async def tried(db: Db, key: str, now: datetime, window: timedelta) -> int:
    """Count a try to sign in under this key; how many there were in the window, this one included."""
    running = {"$gt": ["$since", now - window]}
    count = {"$cond": [running, {"$add": ["$count", 1]}, 1]}
    fields: Document = {"count": count, "since": {"$cond": [running, "$since", now]}}
    await db["logins"].update_one({"_id": key}, [{"$set": fields}], upsert=True)
    found = await db["logins"].find_one({"_id": key})
    return int(found["count"]) if found else 1


async def forgive(db: Db, key: str) -> None:
    await db["logins"].delete_one({"_id": key})

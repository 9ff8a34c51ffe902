"""Users who sign in: their passwords as hashes, their tokens as digests, and the count of their sign-in attempts."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from gateway.domain.api.roles import Role
from storage.documents.documents import Db, Document, from_document, to_document

Kind = Literal["access", "refresh", "page"]


class User(Struct, frozen=True):
    """A user. `id` is the e-mail address in lower case; `password` is its hash."""

    id: str
    password: str
    role: Role
    created_at: datetime


class Token(Struct, frozen=True, omit_defaults=True):
    """A token of one kind: `access` and `refresh` for the API, `page` for a browser. `id` is the digest of the token.

    `family` is shared by all tokens that one sign-in has led to. `used` is set once the token was exchanged for new
    ones. `ends_at`: the moment beyond which the token is not extended.
    """

    id: str
    kind: Kind
    user: str
    role: Role
    family: str
    expires_at: datetime
    used: str | None = None
    ends_at: datetime | None = None


async def add_user(db: Db, user: User) -> bool:
    """Store a new user. Returns False if there is one with this address."""
    try:
        await db["users"].insert_one(to_document(user))
    except DuplicateKeyError:
        return False
    return True


async def get_user(db: Db, email: str) -> User | None:
    """Return the user with this address in lower case, or None."""
    document = await db["users"].find_one({"_id": email})
    return from_document(User, document) if document else None


async def list_users(db: Db) -> list[User]:
    """Return all users, ordered by address."""
    return sorted([from_document(User, document) async for document in db["users"].find()], key=lambda user: user.id)


async def set_password(db: Db, email: str, password: str) -> bool:
    """Set a user's password hash and sign the user out. Returns False if there is no such user."""
    matches = (await db["users"].update_one({"_id": email}, {"$set": {"password": password}})).matched_count
    await sign_out(db, email)
    return bool(matches)


async def set_role(db: Db, email: str, role: Role) -> None:
    """Set a user's role and sign the user out, since each token has the role of its sign-in."""
    await db["users"].update_one({"_id": email}, {"$set": {"role": role}})
    await sign_out(db, email)


async def rehash(db: Db, email: str, old: str, new: str) -> None:
    """Replace a hash by one of the same password under newer parameters, unless the password was changed meanwhile."""
    kept = {"$cond": [{"$eq": ["$password", {"$literal": old}]}, {"$literal": new}, "$password"]}  # hashes begin with $
    await db["users"].update_one({"_id": email}, [{"$set": {"password": kept}}])


async def delete_user(db: Db, email: str) -> bool:
    """Delete a user and sign the user out. Returns False if there is no such user."""
    deletions = (await db["users"].delete_one({"_id": email})).deleted_count
    await sign_out(db, email)
    return bool(deletions)


async def sign_out(db: Db, email: str) -> None:
    """Delete every token of this user."""
    await db["tokens"].delete_many({"user": email})


async def end_family(db: Db, family: str) -> None:
    """Delete every token that one sign-in has led to."""
    await db["tokens"].delete_many({"family": family})


async def add_tokens(db: Db, *tokens: Token) -> None:
    """Store new tokens."""
    await db["tokens"].insert_many([to_document(token) for token in tokens])


async def get_token(db: Db, digest: str) -> Token | None:
    """Return the token with this digest, or None."""
    document = await db.shared("tokens").get(digest)
    return from_document(Token, document) if document else None


async def use_token(db: Db, digest: str, by: str) -> bool:
    """Mark a refresh token as exchanged. Returns False if somebody else has exchanged it already."""
    await db["tokens"].update_one({"_id": digest}, [{"$set": {"used": {"$ifNull": ["$used", by]}}}])
    token = await get_token(db, digest)
    return token is not None and token.used == by


async def extend_token(db: Db, digest: str, expires_at: datetime) -> None:
    """Let a token be valid until this moment. One that is gone stays so."""
    await db["tokens"].update_one({"_id": digest}, {"$set": {"expires_at": expires_at}})


async def postpone(db: Db, email: str, by: timedelta) -> None:
    """Let every token of this user end so much later."""
    async for document in db["tokens"].find({"user": email}):
        token = from_document(Token, document)
        moments = {"expires_at": token.expires_at, "ends_at": token.ends_at}
        later = {name: moment + by for name, moment in moments.items() if moment}
        await db["tokens"].update_one({"_id": token.id}, {"$set": later})


async def count_attempt(db: Db, key: str, now: datetime, window: timedelta) -> int:
    """Count an attempt to sign in under this key. Returns the count within the window, this attempt included."""
    running = {"$gt": ["$since", now - window]}
    count = {"$cond": [running, {"$add": ["$count", 1]}, 1]}
    fields: Document = {"count": count, "since": {"$cond": [running, "$since", now]}}
    await db["logins"].update_one({"_id": key}, {"$setOnInsert": {"count": 0, "since": now}}, upsert=True)
    document = await db["logins"].find_one_and_update(
        {"_id": key}, [{"$set": fields}], return_document=ReturnDocument.AFTER
    )
    return int(document["count"]) if document else 1  # it was cleared in between: somebody has signed in


async def clear_attempts(db: Db, key: str) -> None:
    """Forget the attempts to sign in under this key."""
    await db["logins"].delete_one({"_id": key})

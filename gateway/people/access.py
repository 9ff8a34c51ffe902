"""Who calls: API keys of services, and people who sign in with a password and get tokens that end."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex, token_urlsafe

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gateway.domain.api.roles import Role
from storage.access import keys, users
from storage.access.keys import digest
from storage.access.users import Token, User
from storage.documents.documents import Db

LIFE, LONGEST = timedelta(hours=1), timedelta(hours=12)
REFRESH_LIFE = timedelta(days=30)
WINDOW = timedelta(minutes=15)
OF_ONE = 10
"""Tries to sign in, in the window, as one user; Tuning.login_tries has those from one address."""

SHORTEST = 12
"""Characters of a password."""

HASHER = PasswordHasher()
NOBODYS = HASHER.hash(token_hex(16))
"""Checked where there is no such user, so that it takes as long."""

AT_ONCE = asyncio.Semaphore(2)
"""Each check takes 64 MB and a core for a while."""


class Denied(Exception):
    """The proof is wrong. 401."""


class TooMany(Exception):
    """It was tried too often. 429."""


@dataclass(frozen=True)
class Caller:
    name: str
    role: Role
    family: str = ""


@dataclass(frozen=True)
class Tokens:
    token: str
    refresh: str
    expires_at: datetime


async def identified(db: Db, secret: str, now: datetime) -> Caller:
    """Whose key or token this is. Both are found by a digest, which nobody can steer, so timing tells nothing.

    Raises Denied.
    """
    if not secret.startswith(TOKEN):
        key = await keys.find_key(db, secret, now)
        if key is None:
            raise Denied("A valid API key is needed.")
        return Caller(key.name, key.role)
    token = await users.get_token(db, digest(secret))
    if token is None or token.kind != "access":
        raise Denied("A valid API key is needed.")
    if token.expires_at <= now:
        raise Denied("Token is expired.")
    return Caller(token.user, token.role, token.family)


TOKEN = "gt_"  # noqa: S105 - how they begin


async def login(db: Db, email: str, password: str, life: timedelta, address: str, now: datetime, tries: int) -> Tokens:
    """Sign in, with at most so many `tries` from one address in WINDOW. Every try counts before it is looked at, over
    all processes. Raises Denied, TooMany.
    """
    email = email.strip().lower()
    mine = f"user:{digest(email)}"
    if await users.count_attempt(db, f"address:{address}", now, WINDOW) > tries:
        raise TooMany
    if await users.count_attempt(db, mine, now, WINDOW) > OF_ONE:
        raise TooMany
    user = await users.get_user(db, email)
    if not await _right(db, user, password) or user is None:
        raise Denied("The e-mail or the password is wrong.")
    await users.clear_attempts(db, mine)
    return await _given(db, user, token_hex(16), life, now)


async def refreshed(db: Db, secret: str, life: timedelta, now: datetime) -> Tokens:
    """New tokens for a refresh token, which works once: who comes with a used one may have stolen it, so all of that
    sign-in end. Raises Denied.
    """
    token = await users.get_token(db, digest(secret))
    if token is None or token.kind != "refresh":
        raise Denied("The refresh token is wrong.")
    if token.expires_at <= now:
        raise Denied("Token is expired.")
    user = await users.get_user(db, token.user)
    if user is None or token.used or not await users.use_token(db, token.id, token_hex(8)):
        await users.end_family(db, token.family)
        raise Denied("The refresh token is wrong.")
    tokens = await _given(db, user, token.family, life, now)
    if await users.get_token(db, token.id) is None:  # a second use, or the user's end, has ended all of it meanwhile
        await users.end_family(db, token.family)
        raise Denied("The refresh token is wrong.")
    return tokens


async def made(db: Db, email: str, password: str, role: Role, now: datetime) -> bool:
    """A new user; false if there is one with this address."""
    return await users.add_user(db, User(email.strip().lower(), await hashed(password), role, now))


async def hashed(password: str) -> str:
    return await asyncio.to_thread(HASHER.hash, password)


async def _right(db: Db, user: User | None, password: str) -> bool:
    stored = user.password if user else NOBODYS
    try:
        async with AT_ONCE:
            await asyncio.to_thread(HASHER.verify, stored, password)
    except (Argon2Error, InvalidHashError):
        return False
    if user and HASHER.check_needs_rehash(stored):
        await users.rehash(db, user.id, stored, await hashed(password))
    return user is not None


async def _given(db: Db, user: User, family: str, life: timedelta, now: datetime) -> Tokens:
    token, refresh = f"{TOKEN}{token_urlsafe(32)}", f"gr_{token_urlsafe(32)}"
    expires_at = now + life
    await users.add_tokens(
        db,
        Token(digest(token), "access", user.id, user.role, family, expires_at),
        Token(digest(refresh), "refresh", user.id, user.role, family, now + REFRESH_LIFE),
    )
    return Tokens(token, refresh, expires_at)

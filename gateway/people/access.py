"""Access: identifies callers by API key or token, and signs people in with a password. Tokens expire."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex, token_urlsafe
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gateway.domain.api.roles import Role
from storage.access import keys, users
from storage.access.keys import digest
from storage.access.users import Token, User
from storage.documents.documents import Db

T = TypeVar("T")

LIFE, LONGEST = timedelta(hours=1), timedelta(hours=12)
REFRESH_LIFE = timedelta(days=30)
WINDOW = timedelta(minutes=15)
OF_ONE = 10
"""Tries to sign in as one user, in WINDOW; Tuning.login_tries limits those from one address."""

HASHER = PasswordHasher()
NOBODYS = HASHER.hash(token_hex(16))
"""The hash that is verified if there is no such user, so that the answer takes as long."""

AT_ONCE = asyncio.Semaphore(2)
"""Limits concurrent checks: each takes 64 MB and a core for a while."""


class Denied(Exception):
    """The key, token or password is wrong. HTTP 401."""


class TooMany(Exception):
    """There were too many tries. HTTP 429."""


@dataclass(frozen=True)
class Caller:
    """Who calls. family: the sign-in that a token belongs to; "" for an API key."""

    name: str
    role: Role
    family: str = ""


@dataclass(frozen=True)
class SignIn:
    """A try to sign in. address: the client's. tries: how many are allowed from one address in WINDOW."""

    email: str
    password: str
    address: str
    tries: int


@dataclass(frozen=True)
class Tokens:
    """An access token and the refresh token that renews it. expires_at: the end of the access token."""

    token: str
    refresh: str
    expires_at: datetime


async def identify(db: Db, secret: str, now: datetime) -> Caller:
    """Return the caller with this key or token. Raises Denied.

    Both are found by a digest, which nobody can steer, so that timing reveals nothing.
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


TOKEN = "gt_"  # noqa: S105 - the prefix of access tokens


async def login(db: Db, sign_in: SignIn, life: timedelta, now: datetime) -> Tokens:
    """Sign in and return new tokens, valid for `life`. Raises Denied, TooMany."""
    return await signed_in(db, sign_in, now, lambda user, family: _issue_tokens(db, user, family, life, now))


async def signed_in(db: Db, sign_in: SignIn, now: datetime, issue: Callable[[User, str], Awaitable[T]]) -> T:
    """Check who signs in, and return what `issue` makes for the user and a new family of tokens.

    Every try counts before it is checked, over all processes. Raises Denied, TooMany.
    """
    user = await _checked(db, sign_in, now)
    family = token_hex(16)
    issued = await issue(user, family)
    latest = await users.get_user(db, user.id)  # the password may have been changed, or the user deleted, meanwhile
    if latest is None or (latest.password != user.password and not await _check_password(db, latest, sign_in.password)):
        await users.end_family(db, family)
        raise Denied(WRONG)
    return issued


async def _checked(db: Db, sign_in: SignIn, now: datetime) -> User:
    """Return the user who signs in. Raises Denied, TooMany."""
    email = sign_in.email.strip().lower()
    user_key = f"user:{digest(email)}"
    if await users.count_attempt(db, f"address:{sign_in.address}", now, WINDOW) > sign_in.tries:
        raise TooMany
    if await users.count_attempt(db, user_key, now, WINDOW) > OF_ONE:
        raise TooMany
    user = await users.get_user(db, email)
    if not await _check_password(db, user, sign_in.password) or user is None:
        raise Denied(WRONG)
    await users.clear_attempts(db, user_key)
    return user


WRONG = "The e-mail or the password is wrong."


async def refresh(db: Db, secret: str, life: timedelta, now: datetime) -> Tokens:
    """Return new tokens for a refresh token. Raises Denied.

    A refresh token works once: a second use suggests that it was stolen, so all tokens of that sign-in are deleted.
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
    tokens = await _issue_tokens(db, user, token.family, life, now)
    if await users.get_token(db, token.id) is None:  # a second use, or the user's deletion, came between
        await users.end_family(db, token.family)
        raise Denied("The refresh token is wrong.")
    return tokens


async def create_user(db: Db, email: str, password: str, role: Role, now: datetime) -> bool:
    """Create a user. Returns False if there is one with this address already."""
    return await users.add_user(db, User(email.strip().lower(), await hash_password(password), role, now))


async def hash_password(password: str) -> str:
    """Return the hash under which a password is stored."""
    return await asyncio.to_thread(HASHER.hash, password)


async def _check_password(db: Db, user: User | None, password: str) -> bool:
    """Return whether this is the user's password; an outdated hash is renewed."""
    stored = user.password if user else NOBODYS
    try:
        async with AT_ONCE:
            await asyncio.to_thread(HASHER.verify, stored, password)
    except (Argon2Error, InvalidHashError):
        return False
    if user and HASHER.check_needs_rehash(stored):
        await users.rehash(db, user.id, stored, await hash_password(password))
    return user is not None


async def _issue_tokens(db: Db, user: User, family: str, life: timedelta, now: datetime) -> Tokens:
    token, refresh_token = f"{TOKEN}{token_urlsafe(32)}", f"gr_{token_urlsafe(32)}"
    expires_at = now + life
    await users.add_tokens(
        db,
        Token(digest(token), "access", user.id, user.role, family, expires_at),
        Token(digest(refresh_token), "refresh", user.id, user.role, family, now + REFRESH_LIFE),
    )
    return Tokens(token, refresh_token, expires_at)

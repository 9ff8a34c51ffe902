"""Page tokens: what signs a browser in to the operators' pages. They open nothing else, and are not renewed by another.

A page token is extended while it is used. There is no refresh token for pages: two tabs would exchange it at the same
moment, and a second exchange ends a sign-in.
"""

from datetime import datetime, timedelta
from secrets import token_urlsafe

from gateway.people.access import Caller, Denied, SignIn, signed_in
from storage.access import users
from storage.access.keys import digest
from storage.access.users import Token, User
from storage.documents.documents import Db

IDLE, LONGEST = timedelta(hours=12), timedelta(days=7)
"""How long a token lives without being used, and at most."""

EXTENDED = timedelta(minutes=1)
"""A token is extended at most this often, so that a page that asks all the time does not write all the time."""


async def sign_in(db: Db, who: SignIn, now: datetime) -> str:
    """Sign in to the pages and return a new page token. Raises Denied, TooMany."""
    return await signed_in(db, who, now, lambda user, family: issue(db, user, family, now))


async def issue(db: Db, user: User, family: str, now: datetime) -> str:
    """Return a new page token of this user."""
    secret = f"gp_{token_urlsafe(32)}"
    token = Token(digest(secret), "page", user.id, user.role, family, now + IDLE, ends_at=now + LONGEST)
    await users.add_tokens(db, token)
    return secret


async def identify(db: Db, secret: str, now: datetime, *, extend: bool = True) -> Caller:
    """Return who has this page token, and `extend` it: it is in use. Raises Denied."""
    token = await users.get_token(db, digest(secret))
    if token is None or token.kind != "page" or token.expires_at <= now:
        raise Denied("Sign in.")
    expires_at = min(now + IDLE, token.ends_at or token.expires_at)
    if extend and expires_at - token.expires_at >= EXTENDED:
        await users.extend_token(db, token.id, expires_at)
    return Caller(token.user, token.role, token.family)

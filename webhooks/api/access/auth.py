"""Signing in over HTTP: a password for tokens, a refresh token for new ones, and out."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta
from quart import Blueprint, g
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import Input, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.people import access
from gateway.people.access import LIFE, LONGEST, Tokens
from storage.access import users
from webhooks.http.answers import Refusal, answer
from webhooks.http.context import body, client, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("auth", __name__, url_prefix="/api/v1/auth")

Ttl = Annotated[int, Meta(ge=60, le=int(LONGEST.total_seconds()))]
DEFAULT = int(LIFE.total_seconds())


class LoginRequest(Input):
    """ttl: seconds that the token is good for."""

    email: Annotated[str, Meta(min_length=1, max_length=254)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]
    ttl: Ttl = DEFAULT


class RefreshRequest(Input):
    refresh_token: Annotated[str, Meta(min_length=1, max_length=256)]
    ttl: Ttl = DEFAULT


class TokensResponse(View):
    """Authorization: Bearer <token>, until expiresAt; refreshToken works once, within 30 days."""

    token: str
    refresh_token: str
    expires_at: str | None


class SignedOutResponse(View):
    signed_out: bool


@blueprint.post("/login")
@document_request(LoginRequest)
@document_response(TokensResponse)
async def login() -> ResponseReturnValue:
    """Sign in with an e-mail address and a password."""
    asked = read(LoginRequest, await body())
    life, now = timedelta(seconds=asked.ttl), runtime().clock()
    try:
        tries = runtime().settings.tuning.login_tries
        return _told(await access.login(runtime().db, asked.email, asked.password, life, client(), now, tries))
    except access.Denied as error:
        raise Refusal(401, str(error)) from None
    except access.TooMany:
        refusal = Refusal(429, "Too many tries to sign in; try again later.")
        refusal.retry_after = int(access.WINDOW.total_seconds())
        raise refusal from None


@blueprint.post("/refresh")
@document_request(RefreshRequest)
@document_response(TokensResponse)
async def refresh() -> ResponseReturnValue:
    """Get new tokens for a refresh token, which works once."""
    asked = read(RefreshRequest, await body())
    try:
        life = timedelta(seconds=asked.ttl)
        return _told(await access.refreshed(runtime().db, asked.refresh_token, life, runtime().clock()))
    except access.Denied as error:
        raise Refusal(401, str(error)) from None


@blueprint.post("/logout")
@allow(Role.OPERATOR, Role.SENDER)
@document_response(SignedOutResponse)
async def logout() -> ResponseReturnValue:
    """Sign out: the token that this is asked with ends, and those that came with it."""
    family = g.caller_family
    if family:
        await users.end_family(runtime().db, family)
    return answer(SignedOutResponse(signed_out=bool(family)))


def _told(tokens: Tokens) -> ResponseReturnValue:
    told = TokensResponse(token=tokens.token, refresh_token=tokens.refresh, expires_at=iso(tokens.expires_at))
    response = answer(told)
    response.headers["Cache-Control"] = "no-store"
    return response

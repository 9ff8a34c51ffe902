"""Signing in and out over HTTP, and exchanging a refresh token for new tokens."""

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
from webhooks.http.context import body, client_address, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("auth", __name__, url_prefix="/api/v1/auth")

Ttl = Annotated[int, Meta(ge=60, le=int(LONGEST.total_seconds()))]
DEFAULT = int(LIFE.total_seconds())


class LoginRequest(Input):
    """ttl: seconds for which the token is valid."""

    email: Annotated[str, Meta(min_length=1, max_length=254)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]
    ttl: Ttl = DEFAULT


class RefreshRequest(Input):
    """ttl: seconds for which the new token is valid."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=256)]
    ttl: Ttl = DEFAULT


class TokensResponse(View):
    """Send the token as `Authorization: Bearer <token>` until expiresAt; refreshToken works once, within 30 days."""

    token: str
    refresh_token: str
    expires_at: str | None


class SignedOutResponse(View):
    """signedOut: false if the request came with an API key, which cannot be signed out."""

    signed_out: bool


@blueprint.post("/login")
@document_request(LoginRequest)
@document_response(TokensResponse)
async def login() -> ResponseReturnValue:
    """Sign in with an e-mail address and a password."""
    login_request = read(LoginRequest, await body())
    life, now, tries = timedelta(seconds=login_request.ttl), runtime().clock(), runtime().settings.tuning.login_tries
    sign_in = access.SignIn(login_request.email, login_request.password, client_address(), tries)
    try:
        tokens = await access.login(runtime().db, sign_in, life, now)
    except access.Denied as error:
        raise Refusal(401, str(error)) from None
    except access.TooMany:
        refusal = Refusal(429, "Too many tries to sign in; try again later.")
        refusal.retry_after = int(access.WINDOW.total_seconds())
        raise refusal from None
    return _tokens(tokens)


@blueprint.post("/refresh")
@document_request(RefreshRequest)
@document_response(TokensResponse)
async def refresh() -> ResponseReturnValue:
    """Exchange a refresh token for new tokens; it works once."""
    refresh_request = read(RefreshRequest, await body())
    life = timedelta(seconds=refresh_request.ttl)
    try:
        tokens = await access.refresh(runtime().db, refresh_request.refresh_token, life, runtime().clock())
    except access.Denied as error:
        raise Refusal(401, str(error)) from None
    return _tokens(tokens)


@blueprint.post("/logout")
@allow(Role.OPERATOR, Role.SENDER)
@document_response(SignedOutResponse)
async def logout() -> ResponseReturnValue:
    """Sign out: end the token of this request, and all tokens of the same sign-in."""
    family = g.caller_family
    if family:
        await users.end_family(runtime().db, family)
    return answer(SignedOutResponse(signed_out=bool(family)))


def _tokens(tokens: Tokens) -> ResponseReturnValue:
    response = answer(
        TokensResponse(token=tokens.token, refresh_token=tokens.refresh, expires_at=iso(tokens.expires_at))
    )
    response.headers["Cache-Control"] = "no-store"
    return response

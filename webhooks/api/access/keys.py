"""API keys over HTTP, for admins."""

from typing import Annotated

from msgspec import Meta
from quart import Blueprint, g
from quart.typing import ResponseReturnValue
from quart_schema import document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import Input, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from storage.access import keys as access
from webhooks.http.answers import Refusal, answer
from webhooks.http.context import body, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("keys", __name__, url_prefix="/api/v1/keys")

KeyName = Annotated[str, Meta(min_length=1, max_length=100)]


class KeyRequest(Input):
    name: KeyName
    role: Role = Role.SENDER


class RevokeKeyRequest(Input):
    """Every key of this name."""

    name: KeyName


class KeyView(View):
    """usedAt: to the hour."""

    name: str
    role: Role
    created_at: str | None
    used_at: str | None


class KeysResponse(View):
    keys: list[KeyView]


class NewKeyResponse(View):
    """The only time that the key is shown."""

    name: str
    role: Role
    key: str


class RevokedKeyResponse(View):
    revoked: int


@blueprint.get("")
@allow()
@document_response(KeysResponse)
async def rows() -> ResponseReturnValue:
    """List API keys, without the keys themselves."""
    found = await access.list_keys(runtime().db)
    return answer(
        KeysResponse(
            keys=[
                KeyView(name=key.name, role=key.role, created_at=iso(key.created_at), used_at=iso(key.used_at))
                for key in found
            ]
        )
    )


@blueprint.post("")
@allow()
@document_request(KeyRequest)
@document_response(NewKeyResponse, 201)
async def create() -> ResponseReturnValue:
    """Make an API key."""
    asked = read(KeyRequest, await body())
    key = await access.create_key(runtime().db, asked.name, runtime().clock(), asked.role)
    response = answer(NewKeyResponse(name=asked.name, role=asked.role, key=key), 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.delete("")
@allow()
@document_request(RevokeKeyRequest)
@document_response(RevokedKeyResponse)
async def revoke() -> ResponseReturnValue:
    """Take back every key of a name, at once."""
    asked = read(RevokeKeyRequest, await body())
    if asked.name == g.caller and not g.caller_family:
        raise Refusal(409, "This is the key that you call with; another admin has to take it back.", {"field": "name"})
    revoked = await access.revoke_keys(runtime().db, asked.name)
    if not revoked:
        raise Refusal(404, "There is no key of this name.")
    return answer(RevokedKeyResponse(revoked=revoked))

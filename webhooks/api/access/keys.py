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
from gateway.domain.model.act import Act
from storage.access import keys
from webhooks.http.answers import Refusal, answer
from webhooks.http.audit import note, records
from webhooks.http.context import body, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("keys", __name__, url_prefix="/api/v1/keys")

KeyName = Annotated[str, Meta(min_length=1, max_length=100)]


class KeyRequest(Input):
    """name: what the key is for; several keys may have one name. role: what it may be used for."""

    name: KeyName
    role: Role = Role.SENDER


class RevokeKeyRequest(Input):
    """name: every key of this name is revoked."""

    name: KeyName


class KeyView(View):
    """An API key, without the key itself. usedAt: the hour of its last use."""

    name: str
    role: Role
    created_at: str | None
    used_at: str | None


class KeysResponse(View):
    """All API keys, the oldest first."""

    keys: list[KeyView]


class NewKeyResponse(View):
    """A new API key. This is the only time that it is shown."""

    name: str
    role: Role
    key: str


class RevokedKeyResponse(View):
    """revoked: how many keys had this name."""

    revoked: int


@blueprint.get("")
@allow()
@document_response(KeysResponse)
async def list_keys() -> ResponseReturnValue:
    """List API keys, without the keys themselves."""
    all_keys = await keys.list_keys(runtime().db)
    return answer(
        KeysResponse(
            keys=[
                KeyView(name=key.name, role=key.role, created_at=iso(key.created_at), used_at=iso(key.used_at))
                for key in all_keys
            ]
        )
    )


@blueprint.post("")
@allow()
@records(Act.KEY_CREATE)
@document_request(KeyRequest)
@document_response(NewKeyResponse, 201)
async def create() -> ResponseReturnValue:
    """Create an API key. It is shown in this answer only."""
    key_request = read(KeyRequest, await body())
    key = await keys.create_key(runtime().db, key_request.name, runtime().clock(), key_request.role)
    note(key_request.name, after={"role": key_request.role})
    response = answer(NewKeyResponse(name=key_request.name, role=key_request.role, key=key), 201)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.delete("")
@allow()
@records(Act.KEY_REVOKE)
@document_request(RevokeKeyRequest)
@document_response(RevokedKeyResponse)
async def revoke() -> ResponseReturnValue:
    """Revoke every key of a name, at once."""
    revocation = read(RevokeKeyRequest, await body())
    if revocation.name == g.caller and not g.caller_family:
        raise Refusal(409, "This is the key that you call with; another admin has to take it back.", {"field": "name"})
    count = await keys.revoke_keys(runtime().db, revocation.name)
    if not count:
        raise Refusal(404, "There is no key of this name.")
    note(revocation.name)
    return answer(RevokedKeyResponse(revoked=count))

"""API keys: the list, making one, which is shown once, and revoking those of a name."""

from quart import Blueprint, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import RequestError, convert
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from storage.access import keys
from webhooks.api.access.keys import KeyRequest, RevokeKeyRequest
from webhooks.http.answers import Refusal
from webhooks.http.audit import note, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.looks import role_word
from webhooks.pages.words import gettext

blueprint = Blueprint("keys", __name__, url_prefix="/keys")


@blueprint.get("")
@allow()
@hide
async def show_list() -> ResponseReturnValue:
    """Show all keys, without the keys themselves."""
    return await _page()


@blueprint.post("")
@allow()
@records(Act.KEY_CREATE)
@hide
async def create() -> ResponseReturnValue:
    """Make a key, and show it: it is in this answer only."""
    form = await request.form
    try:
        wanted = convert(KeyRequest, {"name": form.get("name", "").strip(), "role": form.get("role", "")})
    except RequestError as error:
        return await _page(mistake=error.message), 400
    secret = await keys.create_key(runtime().db, wanted.name, runtime().clock(), wanted.role)
    note(wanted.name, after={"role": wanted.role})
    return await _page(secret=secret, name=wanted.name)


@blueprint.post("/revoke")
@allow()
@records(Act.KEY_REVOKE)
@hide
async def revoke() -> ResponseReturnValue:
    """Revoke every key of a name: from now on they are refused."""
    name = convert(RevokeKeyRequest, {"name": (await request.form).get("name", "")}).name
    if not await keys.revoke_keys(runtime().db, name):
        raise Refusal(404, gettext("There is no key of this name."))
    note(name)
    return redirect(url_for(".show_list"), 303)


async def _page(secret: str = "", name: str = "", mistake: str = "") -> str:
    return await render_template(
        "keys.html",
        keys=await keys.list_keys(runtime().db),
        secret=secret,
        name=name,
        mistake=mistake,
        given=await request.form,
        roles=[(role.value, role_word(role)) for role in (Role.SENDER, Role.OPERATOR, Role.ADMIN)],
        role_word=role_word,
    )

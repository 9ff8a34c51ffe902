"""API keys: the list, making one, which is shown once, and revoking one."""

from secrets import token_hex

from quart import Blueprint, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import RequestError, convert
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from storage.access import keys
from webhooks.api.access.keys import KeyRequest
from webhooks.http.answers import Refusal
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.forms.mistakes import told
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
        return await _page(mistake=told(error, named=False)), 400
    if not await _first(form.get("once", ""), f"{wanted.name}/{wanted.role}"):
        record_nothing()
        return await _page(repeated=wanted.name), 409
    secret = await keys.create_key(runtime().db, wanted.name, runtime().clock(), wanted.role)
    note(wanted.name, after={"role": wanted.role})
    return await _page(secret=secret, name=wanted.name)


@blueprint.post("/revoke")
@allow()
@records(Act.KEY_REVOKE)
@hide
async def revoke() -> ResponseReturnValue:
    """Revoke a key: from now on it is refused. Others of its name stay."""
    key = await keys.revoke_key(runtime().db, (await request.form).get("key", ""))
    if key is None:
        raise Refusal(404, gettext("There is no such key."))
    note(key.name)
    return redirect(url_for(".show_list"), 303)


async def _first(once: str, wanted: str) -> bool:
    """Return whether this form makes this key for the first time: a page that is read again sends its form again."""
    if not once:
        return True
    return await keys.claim_request(runtime().db, f"form:{once[:64]}:{wanted}", b"", runtime().clock()) is None


async def _page(secret: str = "", name: str = "", mistake: str = "", repeated: str = "") -> str:
    return await render_template(
        "keys.html",
        keys=await keys.list_keys(runtime().db),
        secret=secret,
        name=name,
        mistake=mistake,
        repeated=repeated,
        once=token_hex(16),
        given=await request.form,
        roles=[(role.value, role_word(role)) for role in (Role.SENDER, Role.OPERATOR, Role.ADMIN)],
        role_word=role_word,
    )

"""The people who sign in: the list, making one, and changing or deleting them."""

from quart import Blueprint, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError, convert
from gateway.domain.api.roles import Role
from gateway.domain.api.users import LONGEST, SHORTEST, UserChangeRequest, UserRequest
from gateway.domain.model.act import Act
from gateway.people import access
from gateway.people import users as people
from storage.access import users
from storage.access.users import User
from webhooks.http.answers import Refusal
from webhooks.http.audit import note, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.forms.mistakes import told
from webhooks.pages.looks import role_word
from webhooks.pages.words import gettext

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.get("")
@allow()
@hide
async def show_list() -> ResponseReturnValue:
    """Show the people who sign in, and the form that makes one."""
    return await _list()


@blueprint.post("")
@allow()
@records(Act.USER_CREATE)
@hide
async def create() -> ResponseReturnValue:
    """Make a user."""
    form = await request.form
    fields = {name: form.get(name, "") for name in ("password", "role")}
    try:
        wanted = convert(UserRequest, {**fields, "email": form.get("email", "").strip()})
    except RequestError as error:
        return await _list({error.field: told(error, named=False)}), 400
    if not await access.create_user(runtime().db, wanted.email, wanted.password, wanted.role, runtime().clock()):
        return await _list({"email": gettext("There is a user of this address already.")}), 409
    note(people.plain(wanted.email), after={"role": wanted.role})
    return redirect(url_for(".show_list"), 303)


@blueprint.get("/<key>")
@allow()
@hide
async def show(key: str) -> ResponseReturnValue:
    """Show one user, with what can be changed."""
    return await _one(await _user(key))


@blueprint.post("/<key>/role")
@allow()
@records(Act.USER_CHANGE)
@hide
async def change_role(key: str) -> ResponseReturnValue:
    """Give a user another role, which ends their sign-ins."""
    user, form = await _user(key), await request.form
    role = convert(UserChangeRequest, {"role": form.get("role", "")}).role or user.role
    try:
        await people.change_role(runtime().db, key, role)
    except Conflict:
        return await _one(user, {"role": _last_admin()}), 409
    note(user.id, before={"role": user.role}, after={"role": role})
    return redirect(url_for(".show_list"), 303)


@blueprint.post("/<key>/password")
@allow()
@records(Act.USER_CHANGE)
@hide
async def change_password(key: str) -> ResponseReturnValue:
    """Give a user another password, which ends their sign-ins."""
    user, password = await _user(key), (await request.form).get("password", "")
    try:
        convert(UserChangeRequest, {"password": password})
    except RequestError as error:
        return await _one(user, {"password": told(error, named=False)}), 400
    await people.change_password(runtime().db, key, password)
    note(user.id, after={"password": "another"})
    return redirect(url_for(".show_list"), 303)


@blueprint.post("/<key>/sign-out")
@allow()
@records(Act.USER_SIGN_OUT)
@hide
async def sign_out(key: str) -> ResponseReturnValue:
    """End all sign-ins of a user, who may sign in anew."""
    user = await _user(key)
    await people.end_sign_ins(runtime().db, user.id)
    note(user.id)
    return redirect(url_for(".show_list"), 303)


@blueprint.post("/<key>/delete")
@allow()
@records(Act.USER_DELETE)
@hide
async def delete(key: str) -> ResponseReturnValue:
    """Delete a user, which ends their sign-ins."""
    user = await _user(key)
    try:
        await people.delete(runtime().db, key)
    except Conflict:
        return await _one(user, {"delete": _last_admin()}), 409
    note(user.id, before={"role": user.role})
    return redirect(url_for(".show_list"), 303)


async def _user(email: str) -> User:
    user = await users.get_user(runtime().db, people.plain(email))
    if user is None:
        raise Refusal(404, gettext("There is no such user."))
    return user


async def _list(mistakes: dict[str, str] | None = None) -> str:
    given = {name: (await request.form).get(name, "") for name in ("email", "role")}
    everybody = await users.list_users(runtime().db)
    return await render_template("users.html", users=everybody, given=given, mistakes=mistakes or {}, **_facts())


async def _one(user: User, mistakes: dict[str, str] | None = None) -> str:
    return await render_template("user.html", user=user, mine=user.id == g.caller, mistakes=mistakes or {}, **_facts())


def _facts() -> dict[str, object]:
    roles = [(role.value, role_word(role)) for role in (Role.OPERATOR, Role.ADMIN, Role.SENDER)]
    return {"roles": roles, "role_word": role_word, "shortest": SHORTEST, "longest": LONGEST}


def _last_admin() -> str:
    return gettext("This is the last administrator: make another one first.")

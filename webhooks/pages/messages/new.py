"""A message to one person: whom, what and in which order of channels; what would be done with it; and sending it."""

import json
from secrets import token_urlsafe
from typing import Any

import msgspec
from quart import Blueprint, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide
from werkzeug.datastructures import MultiDict

from gateway.domain.api.request import RequestError
from gateway.domain.api.response import BulkResponse, ItemView
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.messages.accepting.submit import submit, validate
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.forms.mistakes import Mistake, told, told_of
from webhooks.pages.forms.person import named
from webhooks.pages.jobs.what import STEPS, choices, written_steps
from webhooks.pages.words import gettext

blueprint = Blueprint("new", __name__, url_prefix="/new")

FIELDS = ("who", "source", "template", "values")


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show() -> ResponseReturnValue:
    """Show an empty message."""
    return await _page({"who": request.args.get("who", ""), "source": "here", "steps": [{}] * STEPS})


@blueprint.post("")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_SEND)
@hide
async def send() -> ResponseReturnValue:
    """Send the message once, however often its form comes, and show it; or show what would be done with it."""
    form = await request.form
    values = {name: form.get(name, "") for name in FIELDS} | {"steps": _typed(form)}
    try:
        body = await _body(form)
        if form.get("do") != "send":
            record_nothing()
            return await _page(values, item=_item(await validate(runtime(), body, g.caller)))
        item = _item(await submit(runtime(), body, g.caller, f"page:{form.get('key', '')[:64]}"))
    except RequestError as error:
        return await _page(values, told(error)), 400
    if not item.id:
        return await _page(values, item=item), 400
    note(item.id)
    return redirect(url_for("ui.messages.show", key=item.id), 303)


def _typed(form: MultiDict[str, str]) -> list[dict[str, str]]:
    names = ("channel", "text", "provided")
    return [{name: form.get(f"{name}{number}", "") for name in names} for number in range(STEPS)]


async def _body(form: MultiDict[str, str]) -> bytes:
    """Return the request that a form describes. Raises RequestError."""
    person: dict[str, Any] = named(form.get("who", ""))
    message: dict[str, Any] = {"destinations": [person | {"variables": _variables(form.get("values", ""))}]}
    if form.get("source") == "template":
        message["templateId"] = form.get("template") or _unchosen()
    else:
        message["channels"] = msgspec.to_builtins(await written_steps(runtime(), form, ""))
    return json.dumps({"messages": [message]}).encode()


def _unchosen() -> str:
    raise Mistake(gettext("Choose a template."), "template")


def _variables(text: str) -> dict[str, str]:
    """Return the values that were written, one a line, as in `name: Anna`. Raises Mistake."""
    pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
    if not all(sign for _, sign, _ in pairs):
        raise Mistake(gettext("Write one value a line, as in name: Anna."), "values")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _item(response: bytes) -> ItemView:
    (item,) = msgspec.json.decode(response, type=BulkResponse).messages
    return item


async def _page(values: dict[str, Any], wrong: object = "", item: ItemView | None = None) -> str:
    if item and item.error:
        wrong = told_of((item.error.field or "").removeprefix("messages[0]."), item.error.message)
    plan = item.plan or [] if item else []
    key = token_urlsafe(12)  # each page that is shown may send once
    return await render_template(
        "message_new.html", values=values, wrong=wrong, plan=plan, key=key, **await choices(runtime())
    )

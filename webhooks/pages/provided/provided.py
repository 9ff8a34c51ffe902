"""Providers' templates: the list, and the page of one: its state, its preview, and its contents while they change."""

from collections.abc import Mapping

from quart import Blueprint, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError, convert
from gateway.domain.api.roles import Role
from gateway.domain.channel.errors import SendError
from gateway.domain.model.act import Act
from gateway.domain.model.message_template import MessageTemplate
from gateway.messages.templates import approved, syncing
from gateway.messages.templates.approved import ChangedContentsRequest, MessageTemplateRequest
from gateway.messages.templates.syncing import SyncRequest
from gateway.runtime.paging import PageQuery, cursor, place
from storage.templates import approved as stored
from webhooks.http.answers import Refusal
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.pages.forms.mistakes import told
from webhooks.pages.looks import template_state
from webhooks.pages.provided.contents import fields_of, read_contents, read_draft
from webhooks.pages.provided.editor import Wrong, accounts, editor, look, state
from webhooks.pages.words import gettext

blueprint = Blueprint("provided", __name__, url_prefix="/provided")

EMPTY: Mapping[str, str] = {"category": "UTILITY"}


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show a page of providers' templates, the newest first."""
    page = convert(PageQuery, query())
    templates = await stored.page(runtime().db, place(page.cursor), runtime().clock(), page.limit)
    last = templates[-1] if len(templates) == page.limit else None
    older = url_for(".show_list", cursor=cursor(last.created_at, last.id)) if last and last.created_at else None
    return await render_template(
        "provided.html", templates=templates, older=older, accounts=accounts(), state=state, look=template_state
    )


@blueprint.get("/new")
@allow(Role.OPERATOR)
@hide
async def show_new() -> ResponseReturnValue:
    """Show the form of a new draft."""
    return await editor(None, EMPTY)


@blueprint.get("/<message_template:key>")
@allow(Role.OPERATOR)
@hide
async def show(key: str) -> ResponseReturnValue:
    """Show a template: its state, and its contents."""
    template = await _template(key)
    return await editor(template, fields_of(template))


@blueprint.post("/new")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_CREATE)
@hide
async def create() -> ResponseReturnValue:
    """Keep a draft."""
    form = await request.form
    if form.get("act") == "check":
        return await _previewed(None, form)
    try:
        draft = await approved.create(runtime(), convert(MessageTemplateRequest, read_draft(form)))
    except RequestError as error:
        return await _wrong(None, form, Wrong(told(error), 400))
    except Conflict:
        words = gettext("There is a template of this name and language. If it is not listed, fetch the account's list.")
        return await _wrong(None, form, Wrong(words, 409))
    note(draft.id, after={"state": draft.state})
    return redirect(url_for(".show", key=draft.id), 303)


@blueprint.post("/check")
@allow(Role.OPERATOR)
@hide
async def check() -> ResponseReturnValue:
    """Show what its provider would say of a form that somebody is filling in, and how it would look."""
    form = await request.form
    key = form.get("key", "")
    return await render_template("provided_checked.html", look=look(await _template(key) if key else None, form))


@blueprint.post("/<message_template:key>")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_CHANGE)
@hide
async def change(key: str) -> ResponseReturnValue:
    """Keep a draft's new contents. What somebody else has kept meanwhile is shown beside them."""
    form, before = await request.form, await _template(key)
    if form.get("act") == "check":
        return await _previewed(before, form)
    version = int(form.get("version", "")) if form.get("version", "").isdecimal() else 0
    try:
        contents = convert(ChangedContentsRequest, {**read_contents(form), "version": version})
        after = await approved.change(runtime(), key, contents)
    except RequestError as error:
        return await _wrong(before, form, Wrong(told(error), 400))
    except Conflict as error:
        theirs = before if before.version != version else None
        return await _wrong(before, form, Wrong("" if theirs else str(error), 409, theirs))
    note(before={"state": before.state}, after={"state": after.state if after else ""})
    return redirect(url_for(".show", key=key), 303)


@blueprint.post("/<message_template:key>/submit")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_SUBMIT)
@hide
async def submit(key: str) -> ResponseReturnValue:
    """Submit a draft to the provider, who approves or rejects it."""
    draft = await _template(key)
    try:
        template = await approved.submit(runtime(), key)
    except (SendError, Conflict, RequestError) as error:
        return await _wrong(await _template(key), fields_of(draft), Wrong(str(error), 409))
    note(before={"state": draft.state}, after={"state": template.state if template else ""})
    return redirect(url_for(".show", key=key), 303)


@blueprint.post("/<message_template:key>/delete")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_DELETE)
@hide
async def delete(key: str) -> ResponseReturnValue:
    """Delete a template, here and at the provider."""
    template = await _template(key)
    try:
        await approved.delete(runtime(), key)
    except (SendError, RequestError) as error:
        return await _wrong(template, fields_of(template), Wrong(str(error), 409))
    return redirect(url_for(".show_list"), 303)


@blueprint.post("/sync")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_SYNC)
@hide
async def sync() -> ResponseReturnValue:
    """Fetch the list of an account's provider now."""
    account = (await request.form).get("account", "")
    channel, _, name = account.partition(":")
    try:
        await syncing.sync(runtime(), convert(SyncRequest, {"channel": channel, "account": name or None}))
    except SendError as error:
        raise Refusal(502, gettext("The provider did not give its list: %(why)s") % {"why": str(error)}) from None
    note(account)
    return redirect(url_for(".show_list"), 303)


async def _template(key: str) -> MessageTemplate:
    template = await stored.get(runtime().db, key)
    if template is None:
        raise Refusal(404, gettext("There is no such template."))
    return template


async def _wrong(template: MessageTemplate | None, fields: Mapping[str, str], wrong: Wrong) -> ResponseReturnValue:
    return await editor(template, fields, wrong), wrong.status


async def _previewed(template: MessageTemplate | None, form: Mapping[str, str]) -> ResponseReturnValue:
    record_nothing()
    return await editor(template, form)

"""Own templates: the list, and the editor: its steps, its preview, and saving a version."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import asdict
from quart import Blueprint, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError, convert
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.messages.templates import own
from gateway.messages.templates.own import NewTemplateRequest, NewVersionRequest, OwnTemplate, VersionQuery
from gateway.runtime.paging import PageQuery
from webhooks.api.templates.own import note_template
from webhooks.http.answers import Refusal
from webhooks.http.audit import record_nothing, records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.pages.forms.mistakes import told
from webhooks.pages.own.draft import Draft
from webhooks.pages.own.editor import Editor, look, shown
from webhooks.pages.words import gettext

blueprint = Blueprint("templates", __name__, url_prefix="/templates")


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show a page of own templates, the newest first."""
    page = await own.page(runtime(), convert(PageQuery, query()))
    older = url_for(".show_list", cursor=page.cursor) if page.cursor else None
    return await render_template("own.html", templates=page.templates, older=older)


@blueprint.get("/new")
@allow(Role.OPERATOR)
@hide
async def show_new() -> ResponseReturnValue:
    """Show the editor of a new template."""
    return await shown(Editor(Draft.empty(list(runtime().channels))))


@blueprint.get("/<key>")
@allow(Role.OPERATOR)
@hide
async def show(key: str) -> ResponseReturnValue:
    """Show the editor of a template, with its newest version or the one that is asked for."""
    newest = await _newest(key)
    wanted = convert(VersionQuery, query()).version
    chosen = await own.find(runtime(), key, wanted)
    if chosen is None:
        raise Refusal(404, gettext("There is no such version."))
    return await shown(Editor(Draft.of(chosen.structure), key, newest.entry.version, chosen.entry.version))


@blueprint.post("/new")
@allow(Role.OPERATOR)
@records(Act.TEMPLATE_CREATE)
@hide
async def create() -> ResponseReturnValue:
    """Save a new template, or show the form after an act on its steps."""
    form = await request.form
    editor = Editor(Draft.read(form))
    if form.get("act") != "save":
        return await _arranged(editor, form)
    try:
        structure = editor.draft.structure()
        template = await own.create(runtime(), convert(NewTemplateRequest, msgspec.to_builtins(structure)))
    except RequestError as error:
        return await _mistaken(editor, error)
    note_template(template)
    return redirect(url_for(".show", key=template.entry.id), 303)


@blueprint.post("/check")
@allow(Role.OPERATOR)
@hide
async def check() -> ResponseReturnValue:
    """Show what is to be said of a form that somebody is filling in, and how it would look; nothing is kept."""
    editor = Editor(Draft.read(await request.form))
    await look(editor)
    return await render_template("editor_checked.html", editor=editor, typing=True)


@blueprint.post("/<key>")
@allow(Role.OPERATOR)
@records(Act.TEMPLATE_CHANGE)
@hide
async def change(key: str) -> ResponseReturnValue:
    """Save the next version, or show the form after an act on its steps. Somebody else's version is shown beside it."""
    form = await request.form
    version = int(form.get("version", "")) if form.get("version", "").isdecimal() else 0
    editor = Editor(Draft.read(form), key, version, version)
    if form.get("act") != "save":
        return await _arranged(editor, form)
    try:
        fields = {**asdict(editor.draft.structure()), "version": version}
        template = await own.change(runtime(), key, NewVersionRequest(**fields))
    except RequestError as error:
        return await _mistaken(editor, error)
    except Conflict:
        editor.theirs = await _newest(key)
        editor.version = editor.theirs.entry.version
        return await shown(editor), 409
    if template is None:
        raise Refusal(404, gettext("There is no such template."))
    note_template(template)
    return redirect(url_for(".show", key=key), 303)


@blueprint.post("/<key>/delete")
@allow(Role.OPERATOR)
@records(Act.TEMPLATE_DELETE)
@hide
async def delete(key: str) -> ResponseReturnValue:
    """Delete a template: no message can use it any more."""
    if not await own.delete(runtime(), key):
        raise Refusal(404, gettext("There is no such template."))
    return redirect(url_for(".show_list"), 303)


async def _newest(key: str) -> OwnTemplate:
    template = await own.find(runtime(), key)
    if template is None:
        raise Refusal(404, gettext("There is no such template."))
    return template


async def _arranged(editor: Editor, form: Mapping[str, str]) -> ResponseReturnValue:
    record_nothing()
    editor.draft = editor.draft.arranged(form.get("act", ""), next(iter(runtime().channels), ""))
    return await shown(editor, checked=form.get("act") == "check")


async def _mistaken(editor: Editor, error: RequestError) -> ResponseReturnValue:
    editor.mistake = told(error)
    return await shown(editor), 400

"""What operators do in conversations: reply, by text, by template or by another channel; send again; close; begin."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from quart import Blueprint, Response, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.conversations import operators, repeating, starting
from gateway.conversations.operators import ReplyRequest
from gateway.conversations.starting import StartSessionRequest
from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError, convert
from gateway.domain.api.roles import Role
from gateway.domain.channel.errors import SendError
from gateway.domain.model.act import Act
from gateway.domain.model.nouns import Session
from gateway.messages.templates.syncing import SyncRequest, sync
from storage.access.keys import KeyConflict
from storage.messages import notifications
from webhooks.http.answers import Refusal, status_of
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.conversations.approved_form import lacking, request_of
from webhooks.pages.conversations.typed import Typed, read_typed, with_file
from webhooks.pages.conversations.view import conversation, shown
from webhooks.pages.forms.mistakes import told, told_of
from webhooks.pages.forms.person import named
from webhooks.pages.words import gettext

blueprint = Blueprint("acts", __name__)


@blueprint.post("/<session:key>/reply")
@allow(Role.OPERATOR)
@records(Act.CONVERSATION_REPLY)
@hide
async def reply(key: str) -> ResponseReturnValue:
    """Send what was written, with its file, in this conversation or by another channel; or only count its parts."""
    session, typed = await conversation(key), await read_typed()
    act = (await request.form).get("act")
    if act in {"leave_out", "count"}:
        record_nothing()
        return await shown(session, typed if act == "count" else replace(typed, uploaded="", name=""))
    try:
        typed = await with_file(typed)
    except RequestError as error:
        return await shown(session, typed.refused(told(error, named=False), error.field), 400)
    if not typed.text.strip() and not typed.uploaded:
        return await shown(session, typed.refused(gettext("Write something first.")), 400)
    if typed.by:
        return await _try(session, typed, lambda: _otherwise(session, typed))
    return await _try(session, typed, lambda: _say(session, typed, typed.said))


@blueprint.post("/<session:key>/template")
@allow(Role.OPERATOR)
@records(Act.CONVERSATION_REPLY)
@hide
async def send_template(key: str) -> ResponseReturnValue:
    """Send the chosen template, or only show how it would look."""
    session, typed = await conversation(key), await read_typed()
    if (await request.form).get("act") != "send":
        record_nothing()
        return await shown(session, typed)
    try:
        typed = await with_file(typed)
    except RequestError as error:
        return await shown(session, typed.refused(told(error, named=False), error.field), 400)
    if empty := await lacking(session, typed):
        words = gettext("Fill in: %(fields)s.") % {"fields": ", ".join(empty)}
        return await shown(session, typed.refused(words), 400)
    return await _try(session, typed, lambda: _say(session, typed, {"template": request_of(typed)}))


@blueprint.post("/<session:key>/again")
@allow(Role.OPERATOR)
@records(Act.CONVERSATION_REPLY)
@hide
async def again(key: str) -> ResponseReturnValue:
    """Send once more what did not reach the person."""
    session, typed, form = await conversation(key), await read_typed(), await request.form
    message = await notifications.get(runtime().db, form.get("message", ""))
    if message is None:
        raise Refusal(404, gettext("There is no such message."))

    async def repeat() -> str:
        await repeating.again(runtime(), session, message, g.caller)
        return session.id

    return await _try(session, typed, repeat)


@blueprint.post("/<session:key>/sync")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_SYNC)
@hide
async def fetch_templates(key: str) -> ResponseReturnValue:
    """Fetch the provider's list of templates."""
    session = await conversation(key)
    try:
        await sync(runtime(), SyncRequest(channel=session.address.channel, account=session.address.account))
    except SendError as error:
        raise Refusal(502, str(error)) from None
    return _to(session.id)


@blueprint.post("/<session:key>/close")
@allow(Role.OPERATOR)
@records(Act.CONVERSATION_CLOSE)
@hide
async def close(key: str) -> ResponseReturnValue:
    """Close a conversation, until the person writes again."""
    session = await conversation(key)
    await operators.close(runtime(), session.id)
    return _to(session.id)


@blueprint.post("/<session:key>/seen")
@allow(Role.OPERATOR)
@hide
async def see(key: str) -> ResponseReturnValue:
    """Record that the operator sees what has come while the page was open."""
    session = await conversation(key)
    await operators.see(runtime(), session.id, g.caller)
    return Response("", 204)


@blueprint.get("/new")
@allow(Role.OPERATOR)
@hide
async def ask() -> ResponseReturnValue:
    """Ask with whom a conversation is to begin, and by which channel."""
    return await _ask("", request.args.get("channel", ""), "")


@blueprint.post("/new")
@allow(Role.OPERATOR)
@records(Act.CONVERSATION_START)
@hide
async def begin() -> ResponseReturnValue:
    """Begin a conversation, or go to the one that there is."""
    form = await request.form
    who, name = form.get("who", "").strip(), form.get("channel", "")
    try:
        wanted = convert(StartSessionRequest, {"channel": name, "continueLastOrStartNewSession": True, **named(who)})
        started = await starting.start(runtime(), wanted, g.caller)
        note(started.session.id)
    except (RequestError, Conflict) as error:
        return await _ask(who, name, str(error)), status_of(error)
    return redirect(url_for("ui.conversations.show", key=started.session.id), 303)


async def _ask(who: str, name: str, wrong: str) -> str:
    channels = {name: next(iter(accounts.values())).facts for name, accounts in runtime().channels.items() if accounts}
    reach = [name for name, facts in channels.items() if not facts.needs_start]
    waits = [facts.title for facts in channels.values() if facts.needs_start]
    return await render_template(
        "conversation_new.html", who=who, chosen=name, wrong=wrong, channels=reach, waits=waits
    )


async def _say(session: Session, typed: Typed, what: dict[str, Any]) -> str:
    await operators.reply(runtime(), session, convert(ReplyRequest, what), g.caller, typed.key)
    return session.id


async def _otherwise(session: Session, typed: Typed) -> str:
    """Write to the person by another channel. Returns the conversation there."""
    person = {"contactId": session.contact} if session.contact else {"userId": session.address.user}
    wanted = {"channel": typed.by, "continueLastOrStartNewSession": True, **typed.said, **person}
    started = await starting.start(runtime(), convert(StartSessionRequest, wanted), g.caller, typed.key)
    note(started.session.id, act=Act.CONVERSATION_START)
    return started.session.id


async def _try(session: Session, typed: Typed, act: Callable[[], Awaitable[str]]) -> ResponseReturnValue:
    """Do it and go to the conversation; show it again with what was typed where it is refused."""
    try:
        return _to(await act(), typed.key)
    except (RequestError, Conflict) as error:
        words = told(error, named=False) if isinstance(error, RequestError) else told_of("", str(error))
        return await shown(session, typed.refused(words, getattr(error, "field", "")), status_of(error))
    except KeyConflict:
        sent = gettext("This was sent already with other words. Look at the chat before you send it again.")
        return await shown(session, typed.refused(sent), 409)


def _to(key: str, sent: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("ui.conversations.show", key=key, sent=sent), 303)

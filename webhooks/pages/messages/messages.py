"""The list of messages, and the page of one: its cascade as a picture, what happened, and what may be done now."""

from quart import Blueprint, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.conversations.listing import FEWEST_DIGITS
from gateway.domain.api.request import CancelRequest, convert
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.notification import Status
from gateway.domain.model.sought import is_number
from gateway.messages.accepting.cancel import cancel
from gateway.messages.archive.listing import ExportQuery, MessagesQuery, listed
from gateway.messages.archive.replay import Result, send_anew
from storage.messages import notifications
from webhooks.api.messages.export import messages_file
from webhooks.api.messages.messages import note_cancellation
from webhooks.http.answers import Refusal
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.pages.looks import message_status
from webhooks.pages.messages.filters import FILTERS, address, chips, chosen
from webhooks.pages.messages.one import shown
from webhooks.pages.words import gettext

blueprint = Blueprint("messages", __name__, url_prefix="/messages")

SEARCH = "q"


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show a page of messages, the newest first. What is searched for is a number, a part of one, or an id."""
    given = {name: value for name, value in query().items() if value != ""}
    if wanted := str(given.pop(SEARCH, "")).strip():
        return await _search(wanted, given)
    messages_query = convert(MessagesQuery, given)
    page = await listed(runtime(), messages_query, messages_query.cursor, messages_query.limit)
    filters = chosen()
    return await render_template(
        "messages.html",
        messages=page.rows,
        older=address(filters | {"cursor": page.cursor}) if page.cursor else None,
        chosen=filters,
        chips=chips(filters),
        files=[(each, address(filters | {"format": each}, "ui.messages.export")) for each in ("csv", "xlsx")],
        statuses=[(status.value, message_status(status.value).word) for status in Status],
        channels=list(runtime().channels),
    )


@blueprint.get("/export")
@allow(Role.OPERATOR)
@hide
async def export() -> ResponseReturnValue:
    """Return all messages that are listed as a file."""
    return await messages_file(convert(ExportQuery, {name: value for name, value in query().items() if value != ""}))


@blueprint.get("/<message:key>")
@allow(Role.OPERATOR)
@hide
async def show(key: str) -> ResponseReturnValue:
    """Show one message: the way it took, what happened, and its facts."""
    return await shown(key)


@blueprint.post("/<message:key>/cancel")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_CANCEL)
@hide
async def stop(key: str) -> ResponseReturnValue:
    """Cancel a message, and show what has become of it."""
    wanted = CancelRequest(id=key)
    try:
        note_cancellation(wanted, await cancel(runtime(), wanted, g.caller))
    except LookupError:
        raise Refusal(404, gettext("There is no such message.")) from None
    return redirect(url_for("ui.messages.show", key=key), 303)


@blueprint.post("/<message:key>/anew")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_SEND)
@hide
async def repeat(key: str) -> ResponseReturnValue:
    """Send what a message said as a new one, and show that one."""
    outcome = await send_anew(runtime(), key, force=(await request.form).get("force") == "yes")
    if outcome.new:
        note(outcome.new)
        return redirect(url_for("ui.messages.show", key=outcome.new), 303)
    record_nothing()
    if outcome.result is Result.UNKNOWN:
        raise Refusal(404, gettext("There is no such message."))
    if outcome.result is Result.NEEDS_FORCE:
        return await shown(key, gettext("Tick that the person may get it twice."), 409)
    return await shown(key, outcome.reason, 409)


async def _search(wanted: str, given: dict[str, str | int]) -> ResponseReturnValue:
    """Go to the message with this id, or to the list of those to this number or person."""
    if await notifications.get(runtime().db, wanted):
        return redirect(url_for("ui.messages.show", key=wanted), 303)
    kept = {name: str(value) for name, value in given.items() if name in FILTERS}
    return redirect(address(kept | {"phone" if is_number(wanted, FEWEST_DIGITS) else "externalId": wanted}), 303)

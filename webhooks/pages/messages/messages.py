"""The list of messages, and the page of one: its cascade as a picture, what happened, and what may be done now."""

from urllib.parse import urlencode

from quart import Blueprint, redirect, render_template, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import CancelRequest, convert
from gateway.domain.api.response import StoryResponse
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.notification import Status
from gateway.messages.accepting.cancel import cancel
from gateway.messages.archive.listing import MessagesQuery, listed
from storage.messages import links, notifications, traces
from webhooks.api.messages.links import link_view
from webhooks.api.messages.story import story
from webhooks.http.answers import Refusal
from webhooks.http.audit import records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.pages.looks import message_status
from webhooks.pages.messages.cascade import drawn
from webhooks.pages.messages.timeline import timeline
from webhooks.pages.words import gettext

blueprint = Blueprint("messages", __name__, url_prefix="/messages")

FILTERS = ("phone", "status", "channel", "from", "to", "externalId", "groupId", "bulkId", "jobId")
"""What the list can be filtered by, as the API calls it, and in the order in which it is shown."""

SEARCH = "q"
FEWEST_DIGITS = 3


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
    chosen = {name: str(given[name]) for name in FILTERS if name in given}
    older = _address(chosen | {"cursor": page.cursor}) if page.cursor else None
    return await render_template(
        "messages.html",
        messages=page.rows,
        older=older,
        chosen=chosen,
        without={name: _address({key: value for key, value in chosen.items() if key != name}) for name in chosen},
        statuses=[(status.value, message_status(status.value).word) for status in Status],
        channels=list(runtime().channels),
    )


@blueprint.get("/<message:key>")
@allow(Role.OPERATOR)
@hide
async def show(key: str) -> ResponseReturnValue:
    """Show one message: the way it took, what happened, and its facts."""
    shown = await _story(key)
    return await render_template(
        "message.html",
        story=shown,
        picture=drawn(shown.attempts),
        entries=timeline(shown),
        may_cancel=_may_cancel(shown),
    )


@blueprint.post("/<message:key>/cancel")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_CANCEL)
@hide
async def stop(key: str) -> ResponseReturnValue:
    """Cancel a message, and show what has become of it."""
    try:
        await cancel(runtime(), CancelRequest(id=key))
    except LookupError:
        raise Refusal(404, gettext("There is no such message.")) from None
    return redirect(url_for("ui.messages.show", key=key), 303)


async def _search(wanted: str, given: dict[str, str | int]) -> ResponseReturnValue:
    """Go to the message with this id, or to the list of those to this number or person."""
    if await notifications.get(runtime().db, wanted):
        return redirect(url_for("ui.messages.show", key=wanted), 303)
    kept = {name: str(value) for name, value in given.items() if name in FILTERS}
    digits = sum(map(str.isdigit, wanted))
    number = digits >= FEWEST_DIGITS and not any(map(str.isalpha, wanted))
    return redirect(_address(kept | {"phone" if number else "externalId": wanted}), 303)


async def _story(key: str) -> StoryResponse:
    notification = await notifications.get(runtime().db, key)
    if notification is None:
        raise Refusal(404, gettext("There is no such message."))
    short_links = [link_view(link) for link in await links.of_message(runtime().db, key)]
    return story(notification, await traces.of_notification(runtime().db, key), short_links)


def _may_cancel(shown: StoryResponse) -> bool:
    return not shown.finished_at and not shown.cancelled_at


def _address(parameters: dict[str, str]) -> str:
    return url_for("ui.messages.show_list") + (f"?{urlencode(parameters)}" if parameters else "")

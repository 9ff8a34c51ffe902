"""Conversations: their list, and each one's page."""

from urllib.parse import urlencode

from quart import Blueprint, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.roles import Role
from webhooks.http.guard import allow
from webhooks.pages.conversations import acts
from webhooks.pages.conversations.rows import listed
from webhooks.pages.conversations.typed import Typed
from webhooks.pages.conversations.view import conversation, shown

blueprint = Blueprint("conversations", __name__, url_prefix="/conversations")
blueprint.register_blueprint(acts.blueprint)


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show the conversations, the latest first."""
    return await render_template("conversations.html", list=await listed())


@blueprint.get("/<session:key>")
@allow(Role.OPERATOR)
@hide
async def show(key: str) -> ResponseReturnValue:
    """Show one conversation, which has been seen with that."""
    session = await conversation(key)
    if session.id != key:  # it has moved
        query = f"?{urlencode(request.args)}" if request.args else ""
        return redirect(url_for("ui.conversations.show", key=session.id) + query, 303)
    return await shown(session, Typed(by=request.args.get("by", "")))

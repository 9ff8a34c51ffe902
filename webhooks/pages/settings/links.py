"""Short links: where they lead, and how often people followed them."""

from quart import Blueprint, render_template, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import convert
from gateway.domain.api.roles import Role
from gateway.runtime.paging import PageQuery, cursor, place
from storage.messages import links
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("links", __name__, url_prefix="/links")


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show a page of short links, the newest first."""
    page_query = convert(PageQuery, query())
    page = await links.page(runtime().db, place(page_query.cursor), runtime().clock(), page_query.limit)
    full = len(page) == page_query.limit
    older = url_for(".show_list", cursor=cursor(page[-1].at, page[-1].id)) if full else None
    return await render_template("links.html", links=page, older=older, base=runtime().settings.link_base)

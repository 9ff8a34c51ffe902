"""Short links over HTTP: the redirect that people follow, and the links' statistics for API clients."""

from html import escape

from quart import Blueprint, Response, redirect, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_response, hide
from werkzeug.urls import iri_to_uri

from bots.wire.previews import is_preview
from gateway.domain.api.formats import iso
from gateway.domain.api.links import Link, read_code
from gateway.domain.api.request import Input, Name, convert
from gateway.domain.api.response import LinkView, View
from gateway.domain.api.roles import Role
from gateway.runtime.paging import Cursor, Limit, cursor, place
from storage.messages import links
from webhooks.http.answers import Refusal, answer
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("links", __name__)

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><body style="font: 1.2em system-ui; margin: 3em auto; max-width: 30em"><h1>{title}</h1>
"""
PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


class LinksQuery(Input):
    """messageId: only the links of this message; without it, a page of all."""

    message_id: Name | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class LinksResponse(View):
    """A page, the newest first; `cursor` is null on the last one."""

    short_links: list[LinkView]
    cursor: str | None


@blueprint.get("/l/<path:tail>")
@hide
async def follow(tail: str) -> ResponseReturnValue:
    """Redirect to the link's target and count the visit, unless it is a HEAD.

    What only looks is counted apart from people's clicks. Marks that a messenger took for a part of the link are passed
    over.
    """
    code = read_code(tail)
    link = await links.get(runtime().db, code) if code else None
    if link is None:
        return _page("There is no such link", 404)
    now = runtime().clock()
    if link.expires_at <= now:
        return _page("This link has expired", 410)
    if request.method == "GET":
        await _count_visit(link)
    response = redirect(iri_to_uri(link.target), 302)
    response.headers.update(PRIVATE)
    return response


@blueprint.get("/api/v1/shortLinks")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(LinksQuery)
@document_response(LinksResponse)
async def list_links() -> ResponseReturnValue:
    """List short links and their clicks, the newest first, or those of one message."""
    links_query, db = convert(LinksQuery, query()), runtime().db
    after = place(links_query.cursor)
    if links_query.message_id:
        of_message = await links.of_message(db, links_query.message_id)
        return answer(LinksResponse(short_links=list(map(link_view, of_message)), cursor=None))
    page = await links.page(db, after, runtime().clock(), links_query.limit)
    next_cursor = cursor(page[-1].at, page[-1].id) if len(page) == links_query.limit else None
    return answer(LinksResponse(short_links=list(map(link_view, page)), cursor=next_cursor))


@blueprint.get("/api/v1/shortLinks/<code>")
@allow(Role.SENDER, Role.OPERATOR)
@document_response(LinkView)
async def get_link(code: str) -> ResponseReturnValue:
    """Show one short link: its target, and how often it was followed."""
    link = await links.get(runtime().db, code)
    if link is None:
        raise Refusal(404, "There is no such link.", {"code": code})
    return answer(link_view(link))


def link_view(link: Link) -> LinkView:
    """Return a short link as the API shows it."""
    return LinkView(
        code=link.id,
        url=f"{runtime().settings.link_base}/{link.id}",
        target=link.target,
        message_id=link.message,
        created_at=iso(link.at),
        expires_at=iso(link.expires_at),
        clicks=link.clicks,
        previews=link.previews,
        first_click_at=iso(link.first_at),
        last_click_at=iso(link.last_at),
    )


async def _count_visit(link: Link) -> None:
    """Count a click or a preview. It is on disk before the person is redirected."""
    if is_preview({name.lower(): value for name, value in request.headers.items()}):
        await links.count_preview(runtime().db, link.id)
    else:
        await links.count_click(runtime().db, link.id, runtime().clock())


def _page(title: str, status: int) -> Response:
    return Response(PAGE.format(title=escape(title)), status, PRIVATE, content_type="text/html; charset=utf-8")

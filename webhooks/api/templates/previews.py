"""Previews of templates over HTTP: static pages that show how a template looks on a phone."""

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring

from gateway.domain.api.request import Name, convert
from gateway.domain.api.roles import Role
from gateway.messages.templates import own, phone_page
from gateway.messages.templates.own import VersionQuery
from gateway.messages.templates.previews import bubbles
from storage.templates import approved
from webhooks.http.answers import require
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_files

blueprint = Blueprint("previews", __name__, url_prefix="/api/v1")

HTML = "text/html; charset=utf-8"
CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


class PreviewQuery(VersionQuery):
    """channel: show only this channel's steps. version: show this version instead of the newest."""

    channel: Name | None = None


@blueprint.get("/templates/<key>/preview")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(PreviewQuery)
@document_files(HTML)
async def preview_own(key: str) -> ResponseReturnValue:
    """Show an own template as it looks on a phone.

    Variables are shown by their names.
    """
    preview = convert(PreviewQuery, query())
    template = require(key, await own.find(runtime(), key, preview.version))
    return _page(template.structure.name, await bubbles(runtime(), template.structure, preview.channel))


@blueprint.get("/messageTemplates/<message_template:key>/preview")
@allow(Role.SENDER, Role.OPERATOR)
@document_files(HTML)
async def preview_approved(key: str) -> ResponseReturnValue:
    """Show a provider's template as it looks on a phone, with its examples."""
    template = require(key, await approved.get(runtime().db, key))
    return _page(template.name, [phone_page.template_bubble(template)])


def _page(title: str, screen: list[phone_page.Bubble]) -> Response:
    headers = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"}
    return Response(phone_page.page(title, screen), content_type=HTML, headers=headers)

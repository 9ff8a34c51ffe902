"""Previews of templates over HTTP: static pages that show how a template looks on a phone."""

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request

from gateway.domain.api.request import Input, Name, Version, convert, read
from gateway.domain.api.roles import Role
from gateway.messages.templates import approved as drafts
from gateway.messages.templates import own, phone_page
from gateway.messages.templates.approved import MessageTemplateRequest
from gateway.messages.templates.own import NewTemplateRequest
from gateway.messages.templates.previews import bubbles
from storage.templates import approved
from webhooks.http.answers import require
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_files

blueprint = Blueprint("previews", __name__, url_prefix="/api/v1")

HTML = "text/html; charset=utf-8"
CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


class ChannelQuery(Input):
    """channel: show only this channel's steps."""

    channel: Name | None = None


class PreviewQuery(ChannelQuery):
    """version: show this version instead of the newest."""

    version: Version | None = None


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


@blueprint.post("/templates/preview")
@allow(Role.OPERATOR)
@document_querystring(ChannelQuery)
@document_request(NewTemplateRequest)
@document_files(HTML)
async def preview_unsaved() -> ResponseReturnValue:
    """Show a template as it would look on a phone, without saving it. It is checked as if it were saved."""
    structure = read(NewTemplateRequest, await body())
    await own.check(runtime(), structure)
    return _page(structure.name, await bubbles(runtime(), structure, convert(ChannelQuery, query()).channel))


@blueprint.get("/messageTemplates/<message_template:key>/preview")
@allow(Role.SENDER, Role.OPERATOR)
@document_files(HTML)
async def preview_approved(key: str) -> ResponseReturnValue:
    """Show a provider's template as it looks on a phone, with its examples."""
    template = require(key, await approved.get(runtime().db, key))
    return _page(template.name, [phone_page.template_bubble(template)])


@blueprint.post("/messageTemplates/preview")
@allow(Role.OPERATOR)
@document_request(MessageTemplateRequest)
@document_files(HTML)
async def preview_draft() -> ResponseReturnValue:
    """Show a draft as it would look on a phone, with its examples, without keeping it.

    It need not keep to the provider's rules yet.
    """
    draft = drafts.drafted(runtime(), read(MessageTemplateRequest, await body()))
    return _page(draft.name, [phone_page.template_bubble(draft)])


def _page(title: str, screen: list[phone_page.Bubble]) -> Response:
    headers = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"}
    return Response(phone_page.page(title, screen), content_type=HTML, headers=headers)

"""How templates look on a phone: pages that can do nothing but be looked at."""

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring

from gateway.domain.api.request import Name, convert
from gateway.domain.api.roles import Role
from gateway.messages.templates import own as catalogue
from gateway.messages.templates import phone_page
from gateway.messages.templates.own import VersionQuery
from gateway.messages.templates.previews import bubbles
from storage.templates import approved as message_templates
from webhooks.http.answers import there
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_files

blueprint = Blueprint("previews", __name__, url_prefix="/api/v1")

HTML = "text/html; charset=utf-8"
CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


class PreviewQuery(VersionQuery):
    """Whose steps are to be seen; all, if no channel is named."""

    channel: Name | None = None


@blueprint.get("/templates/<key>/preview")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(PreviewQuery)
@document_files(HTML)
async def own(key: str) -> ResponseReturnValue:
    """Show an own template as it looks on a phone.

    Variables show their names.
    """
    asked = convert(PreviewQuery, query())
    found = there(key, await catalogue.find(runtime(), key, asked.version))
    return _page(found.structure.name, await bubbles(runtime(), found.structure, asked.channel))


@blueprint.get("/messageTemplates/<provided:key>/preview")
@allow(Role.SENDER, Role.OPERATOR)
@document_files(HTML)
async def approved(key: str) -> ResponseReturnValue:
    """Show a provider's template as it looks on a phone, with its examples."""
    found = there(key, await message_templates.get(runtime().db, key))
    return _page(found.name, [phone_page.template_bubble(found)])


def _page(title: str, shown: list[phone_page.Bubble]) -> Response:
    headers = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"}
    return Response(phone_page.page(title, shown), content_type=HTML, headers=headers)

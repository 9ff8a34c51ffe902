"""Providers' message templates over HTTP: drafting, submitting, listing, deleting, and the provider's decisions."""

from collections.abc import Awaitable
from typing import TypeVar

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response
from werkzeug.routing import BaseConverter

from gateway.domain.api.formats import iso
from gateway.domain.api.request import convert, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.channel.errors import Refused, SendError
from gateway.domain.model.act import Act
from gateway.domain.model.message_template import Choice, Head, MessageTemplate
from gateway.messages.templates import approved, syncing
from gateway.messages.templates.approved import ChangedContentsRequest, MessageTemplateRequest
from gateway.messages.templates.syncing import SyncRequest
from gateway.runtime.paging import PageQuery, cursor, place
from storage.templates import approved as stored
from webhooks.http.answers import DeletedResponse, Refusal, answer, require
from webhooks.http.audit import note, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import ErrorResponse

blueprint = Blueprint("message_templates", __name__, url_prefix="/api/v1/messageTemplates")

BAD_GATEWAY, CONFLICT = 502, 409
T = TypeVar("T")


class MessageTemplateId(BaseConverter):
    """Matches channel:account:name:language in a path, and no path of another route."""

    regex = "[^/]+:[^/]+"


class MessageTemplateView(View):
    """A template that the provider has to approve.

    state: draft, pending, approved, rejected, paused, disabled, deleted, or another word of the provider's. reason: the
    provider's, for this state.
    """

    id: str
    channel: str
    account: str
    name: str
    language: str
    category: str
    header: Head | None
    body: str
    body_examples: dict[str, str]
    footer: str
    buttons: tuple[Choice, ...]
    state: str
    usable: bool
    reason: str | None
    version: int
    created_at: str | None
    changed_at: str | None


class MessageTemplatesResponse(View):
    """A page; `cursor` is null on the last one."""

    message_templates: list[MessageTemplateView]
    cursor: str | None


class SyncResponse(View):
    """listed: how many templates are in the provider's list."""

    listed: int


@blueprint.post("")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_CREATE)
@document_request(MessageTemplateRequest)
@document_response(MessageTemplateView, 201)
async def create() -> ResponseReturnValue:
    """Create a draft.

    It is checked by the provider's rules, as far as they are known.
    """
    draft = await approved.create(runtime(), read(MessageTemplateRequest, await body()))
    note(draft.id, after={"state": draft.state})
    return answer(_view(draft), 201)


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(MessageTemplatesResponse)
async def list_templates() -> ResponseReturnValue:
    """List providers' templates, the newest first."""
    page = convert(PageQuery, query())
    templates = await stored.page(runtime().db, place(page.cursor), runtime().clock(), page.limit)
    last = templates[-1] if len(templates) == page.limit else None
    next_cursor = cursor(last.created_at, last.id) if last and last.created_at else None
    return answer(MessageTemplatesResponse(message_templates=[_view(each) for each in templates], cursor=next_cursor))


@blueprint.get("/<message_template:key>")
@allow(Role.SENDER, Role.OPERATOR)
@document_response(MessageTemplateView)
async def get_template(key: str) -> ResponseReturnValue:
    """Show a provider's template: its contents, and its state."""
    return answer(_view(require(key, await stored.get(runtime().db, key))))


@blueprint.put("/<message_template:key>")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_CHANGE)
@document_request(ChangedContentsRequest)
@document_response(MessageTemplateView)
async def change(key: str) -> ResponseReturnValue:
    """Change a draft, or a rejected template, which becomes a draft again."""
    template = await approved.change(runtime(), key, read(ChangedContentsRequest, await body()))
    return answer(_view(require(key, template)))


@blueprint.post("/<message_template:key>/submit")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_SUBMIT)
@document_response(MessageTemplateView)
@document_response(ErrorResponse, BAD_GATEWAY)
async def submit(key: str) -> ResponseReturnValue:
    """Submit a draft to the provider.

    409 with the provider's reason if it refuses the draft at once; 502 if it did not answer as it should.
    """
    template = require(key, await _call_provider(approved.submit(runtime(), key)))
    note(before={"state": "draft"}, after={"state": template.state})
    return answer(_view(template))


@blueprint.delete("/<message_template:key>")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_DELETE)
@document_response(DeletedResponse)
@document_response(ErrorResponse, BAD_GATEWAY)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a template, here and at the provider."""
    deleted = await _call_provider(approved.delete(runtime(), key))
    require(key, deleted or None)
    return answer(DeletedResponse(id=key))


@blueprint.post("/sync")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_TEMPLATE_SYNC)
@document_request(SyncRequest)
@document_response(SyncResponse)
@document_response(ErrorResponse, BAD_GATEWAY)
async def sync() -> ResponseReturnValue:
    """Fetch the provider's list of templates now.

    It is also fetched every few hours without this.
    """
    request = read(SyncRequest, await body())
    count = await _call_provider(syncing.sync(runtime(), request))
    note(":".join(filter(None, (request.channel, request.account))))
    return answer(SyncResponse(listed=count))


async def _call_provider(call: Awaitable[T]) -> T:
    """Await a call to the provider. Raises Refusal: 409 if the provider refuses, 502 if it fails otherwise."""
    try:
        return await call
    except SendError as error:
        raise Refusal(CONFLICT if isinstance(error, Refused) else BAD_GATEWAY, str(error)) from None


def _view(template: MessageTemplate) -> MessageTemplateView:
    return MessageTemplateView(
        id=template.id,
        channel=template.channel,
        account=template.account,
        name=template.name,
        language=template.language,
        category=template.category,
        header=template.header,
        body=template.body,
        body_examples=template.body_examples,
        footer=template.footer,
        buttons=template.buttons,
        state="approved" if template.usable else template.state,
        usable=template.usable,
        reason=template.reason or None,
        version=template.version,
        created_at=iso(template.created_at),
        changed_at=iso(template.changed_at),
    )

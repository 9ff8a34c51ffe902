"""Providers' templates over HTTP: drafts, submitted to be approved, and what the provider says of them."""

from collections.abc import Awaitable
from typing import TypeVar

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response
from werkzeug.routing import BaseConverter

from gateway.domain.api.formats import iso
from gateway.domain.api.request import convert, read
from gateway.domain.api.roles import Role
from gateway.domain.channel.errors import Refused, SendError
from gateway.domain.model.message_template import Choice, Head, MessageTemplate
from gateway.messages.templates import approved, syncing
from gateway.messages.templates.approved import ChangedContentsRequest, MessageTemplateRequest
from gateway.messages.templates.syncing import SyncRequest
from gateway.runtime.paging import PageQuery, cursor, place
from storage.templates import approved as message_templates
from webhooks.http.answers import Refusal, View, answer, there
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import Mistake

blueprint = Blueprint("message_templates", __name__, url_prefix="/api/v1/messageTemplates")

BAD_GATEWAY, CONFLICT = 502, 409
T = TypeVar("T")


class ProvidedId(BaseConverter):
    """channel:account:name:language, so that no other path is taken for one."""

    regex = "[^/]+:[^/]+"


class MessageTemplateView(View):
    """state: draft, pending, approved, rejected, paused, disabled, deleted, or another word of the provider's."""

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
    """listed: how many templates the provider has."""

    listed: int


class DeletedResponse(View):
    id: str


@blueprint.post("")
@allow(Role.OPERATOR)
@document_request(MessageTemplateRequest)
@document_response(MessageTemplateView, 201)
async def create() -> ResponseReturnValue:
    """Make a draft.

    It is checked by the provider's rules, as far as they are known.
    """
    return answer(_told(await approved.create(runtime(), read(MessageTemplateRequest, await body()))), 201)


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(MessageTemplatesResponse)
async def templates() -> ResponseReturnValue:
    """List providers' templates, the newest first."""
    asked = convert(PageQuery, query())
    found = await message_templates.page(runtime().db, place(asked.cursor), runtime().clock(), asked.limit)
    last = found[-1] if len(found) == asked.limit else None
    behind = cursor(last.created_at, last.id) if last and last.created_at else None
    return answer(MessageTemplatesResponse(message_templates=[_told(one) for one in found], cursor=behind))


@blueprint.get("/<provided:key>")
@allow(Role.SENDER, Role.OPERATOR)
@document_response(MessageTemplateView)
async def template(key: str) -> ResponseReturnValue:
    """Read a provider's template: its contents, and how it stands."""
    return answer(_told(await _found(key)))


@blueprint.put("/<provided:key>")
@allow(Role.OPERATOR)
@document_request(ChangedContentsRequest)
@document_response(MessageTemplateView)
async def change(key: str) -> ResponseReturnValue:
    """Change a draft, or what was rejected, which is a draft then."""
    return answer(_told(there(key, await approved.change(runtime(), key, read(ChangedContentsRequest, await body())))))


@blueprint.post("/<provided:key>/submit")
@allow(Role.OPERATOR)
@document_response(MessageTemplateView)
@document_response(Mistake, BAD_GATEWAY)
async def submit(key: str) -> ResponseReturnValue:
    """Submit a draft to the provider.

    409 with the provider's reason, if it refuses it at once; 502, if it did not answer as it should.
    """
    return answer(_told(there(key, await _asking(approved.submit(runtime(), key)))))


@blueprint.delete("/<provided:key>")
@allow(Role.OPERATOR)
@document_response(DeletedResponse)
@document_response(Mistake, BAD_GATEWAY)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a template, here and at the provider."""
    deleted = await _asking(approved.delete(runtime(), key))
    there(key, deleted or None)
    return answer(DeletedResponse(id=key))


@blueprint.post("/sync")
@allow(Role.OPERATOR)
@document_request(SyncRequest)
@document_response(SyncResponse)
@document_response(Mistake, BAD_GATEWAY)
async def sync() -> ResponseReturnValue:
    """Fetch the provider's list.

    This happens by itself every few hours.
    """
    return answer(SyncResponse(listed=await _asking(syncing.sync(runtime(), read(SyncRequest, await body())))))


async def _found(key: str) -> MessageTemplate:
    return there(key, await message_templates.get(runtime().db, key))


async def _asking(call: Awaitable[T]) -> T:
    """Raises Refusal where the provider does not do it."""
    try:
        return await call
    except SendError as error:
        raise Refusal(CONFLICT if isinstance(error, Refused) else BAD_GATEWAY, str(error)) from None


def _told(found: MessageTemplate) -> MessageTemplateView:
    return MessageTemplateView(
        id=found.id,
        channel=found.channel,
        account=found.account,
        name=found.name,
        language=found.language,
        category=found.category,
        header=found.header,
        body=found.body,
        body_examples=found.body_examples,
        footer=found.footer,
        buttons=found.buttons,
        state="approved" if found.usable else found.state,
        usable=found.usable,
        reason=found.reason or None,
        version=found.version,
        created_at=iso(found.created_at),
        changed_at=iso(found.changed_at),
    )

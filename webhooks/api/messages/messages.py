"""Messages over HTTP: sending, validating, listing, showing one message's story, cancelling."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct, field
from quart import Blueprint, Response, g, request
from quart.typing import ResponseReturnValue
from quart_schema import document_headers, document_querystring, document_request, document_response
from werkzeug.routing import PathConverter

from gateway.domain.api.request import RESERVED, BulkRequest, CancelRequest, convert, read
from gateway.domain.api.response import (
    BulkResponse,
    CancellationsResponse,
    CancellationView,
    MessagesResponse,
    StoryResponse,
)
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.messages.accepting.cancel import Outcome, cancel
from gateway.messages.accepting.submit import submit, validate
from gateway.messages.archive.listing import MessagesQuery, listed
from storage.messages import links, notifications, traces
from webhooks.api.messages.links import link_view
from webhooks.api.messages.story import story
from webhooks.http.answers import JSON, Refusal, answer
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("messages", __name__, url_prefix="/api/v1/messages")

LONGEST_KEY = 256


class MessageId(PathConverter):
    """Matches a message's id in a path. Bots' answers are named after providers' ids, which may contain slashes."""

    regex = rf"(?!(?:{'|'.join(RESERVED)})$)[^/].*?"


class IdempotencyHeaders(Struct):
    """The same key with the same body gets the same answer, and sends once. A key is remembered for a day."""

    idempotency_key: Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY)] | None = field(default=None)


@blueprint.post("")
@allow(Role.SENDER, Role.OPERATOR)
@document_headers(IdempotencyHeaders)
@document_request(BulkRequest)
@document_response(BulkResponse, 202)
async def send() -> ResponseReturnValue:
    """Send messages.

    The answer has one item for each message and destination, in order. One bad item does not fail the others.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise Refusal(400, f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.", {"field": "Idempotency-Key"})
    return Response(await submit(runtime(), await body(), g.caller, key), 202, content_type=JSON)


@blueprint.post("/validate")
@allow(Role.SENDER, Role.OPERATOR)
@document_request(BulkRequest)
@document_response(BulkResponse)
async def explain() -> ResponseReturnValue:
    """Explain what sending would do, and send nothing.

    The answer is the one that sending would give, with each step explained as things stand now.
    """
    return Response(await validate(runtime(), await body(), g.caller), content_type=JSON)


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(MessagesQuery)
@document_response(MessagesResponse)
async def list_messages() -> ResponseReturnValue:
    """List messages, the newest first.

    As long as there is a cursor there may be more, even if the page is short.
    """
    messages_query = convert(MessagesQuery, query())
    page = await listed(runtime(), messages_query, messages_query.cursor, messages_query.limit)
    return answer(MessagesResponse(messages=page.rows, cursor=page.cursor))


@blueprint.get("/<message:key>")
@allow(Role.SENDER, Role.OPERATOR)
@document_response(StoryResponse)
async def get_message(key: str) -> ResponseReturnValue:
    """Show the whole story of one message: every attempt, and every decision in words."""
    notification = await notifications.get(runtime().db, key)
    if notification is None:
        raise Refusal(404, "There is no such message.", {"id": key})
    short_links = [link_view(link) for link in await links.of_message(runtime().db, key)]
    calls = await traces.of_notification(runtime().db, key)
    return answer(story(notification, calls, short_links))


@blueprint.delete("")
@allow(Role.SENDER, Role.OPERATOR)
@records(Act.MESSAGE_CANCEL)
@document_request(CancelRequest)
@document_response(CancellationsResponse)
async def cancel_messages() -> ResponseReturnValue:
    """Cancel one message, a group or a bulk, named in the body or, without one, in the query.

    The result of each message is `cancelled` (it never leaves) or `tooLate`, with what has left already.
    """
    try:
        raw = await body()
        cancel_request = read(CancelRequest, raw) if raw else convert(CancelRequest, query())
        outcomes = await cancel(runtime(), cancel_request)
    except LookupError as error:
        raise Refusal(404, str(error)) from None
    note_cancellation(cancel_request, outcomes)
    return answer(
        CancellationsResponse(
            messages=[
                CancellationView(
                    id=outcome.id,
                    result="cancelled" if outcome.cancelled else "tooLate",
                    reason=outcome.reason or None,
                )
                for outcome in outcomes
            ]
        )
    )


def note_cancellation(request: CancelRequest, outcomes: Sequence[Outcome]) -> None:
    """Have the audit say what the current route has cancelled."""
    count = sum(outcome.cancelled for outcome in outcomes)
    if count:
        note(request.id or request.group_id or request.bulk_id, after={"cancelled": str(count)})
    else:
        record_nothing()

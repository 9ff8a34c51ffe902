"""Messages over HTTP: accept, explain, tell, list, cancel."""

from typing import Annotated

from msgspec import Meta, Struct, field
from quart import Blueprint, g, request
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
from gateway.messages.accepting.cancel import cancel
from gateway.messages.accepting.submit import submit, validate
from gateway.messages.archive.listing import MessagesQuery, listed
from storage.messages import links, notifications, traces
from webhooks.api.messages.links import told
from webhooks.api.messages.story import story
from webhooks.http.answers import Refusal, answer
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("messages", __name__, url_prefix="/api/v1/messages")

LONGEST_KEY = 256


class MessageId(PathConverter):
    """Whatever may stand as a message's id; bots' answers are named after providers' ids, slashes and all."""

    regex = rf"(?!(?:{'|'.join(RESERVED)})$)[^/].*?"


class Repeatable(Struct):
    """The same key with the same body: the same answer, and one send. It is remembered for a day."""

    idempotency_key: Annotated[str, Meta(min_length=1, max_length=LONGEST_KEY)] | None = field(default=None)


@blueprint.post("")
@allow(Role.SENDER, Role.OPERATOR)
@document_headers(Repeatable)
@document_request(BulkRequest)
@document_response(BulkResponse, 202)
async def send() -> ResponseReturnValue:
    """Send messages.

    One item of the answer for each message and destination, in order. One bad item does not fail the others.
    """
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise Refusal(400, f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.", {"field": "Idempotency-Key"})
    return answer(await submit(runtime(), await body(), g.caller, key), 202)


@blueprint.post("/validate")
@allow(Role.SENDER, Role.OPERATOR)
@document_request(BulkRequest)
@document_response(BulkResponse)
async def explain() -> ResponseReturnValue:
    """Explain what sending would do, and send nothing.

    The answer that sending would give, with each step explained as things stand now.
    """
    return answer(await validate(runtime(), await body(), g.caller))


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(MessagesQuery)
@document_response(MessagesResponse)
async def rows() -> ResponseReturnValue:
    """List messages, the newest first.

    While there is a cursor there may be more, even if the page is short.
    """
    asked = convert(MessagesQuery, query())
    found = await listed(runtime(), asked, asked.cursor, asked.limit)
    return answer(MessagesResponse(messages=found.rows, cursor=found.cursor))


@blueprint.get("/<message:key>")
@allow(Role.SENDER, Role.OPERATOR)
@document_response(StoryResponse)
async def status(key: str) -> ResponseReturnValue:
    """Tell the whole story of one message: every attempt, every decision, in words."""
    notification = await notifications.get(runtime().db, key)
    if notification is None:
        raise Refusal(404, "There is no such message.", {"id": key})
    made = [told(link) for link in await links.of_message(runtime().db, key)]
    return answer(story(notification, await traces.of_notification(runtime().db, key), made))


@blueprint.delete("")
@allow(Role.SENDER, Role.OPERATOR)
@document_request(CancelRequest)
@document_response(CancellationsResponse)
async def cancel_messages() -> ResponseReturnValue:
    """Cancel one message, a group or a bulk.

    For each, `cancelled` (it never leaves), or `tooLate` and what has left already.
    """
    try:
        outcomes = await cancel(runtime(), read(CancelRequest, await body()))
    except LookupError as error:
        raise Refusal(404, str(error)) from None
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

"""Conversations over HTTP: what was said in them, and what operators do there."""

import msgspec
from quart import Blueprint, g, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response
from werkzeug.routing import PathConverter

from gateway.conversations import operators
from gateway.conversations.operators import ReplyRequest, SessionsQuery, StartSessionRequest
from gateway.domain.api.formats import iso
from gateway.domain.api.request import Input, convert, read
from gateway.domain.api.response import ItemView, View
from gateway.domain.api.roles import Role
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Message, Session
from gateway.runtime.paging import Cursor, Limit, cursor, place
from storage.messages import chat_log as messages
from storage.messages import notifications
from storage.people import sessions as stored
from webhooks.http.answers import Refusal, answer
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("sessions", __name__, url_prefix="/api/v1/sessions")


class SessionId(PathConverter):
    """channel:account:user, and a provider's id of a user may hold anything; what stands behind it is none of it."""

    regex = r"[^/].*?(?<!/close)(?<!/messages)"


class ChatLogQuery(Input):
    """A page of what was said, the newest first."""

    limit: Limit = 50
    cursor: Cursor | None = None


class WindowView(View):
    """May we write freely: now, until when, and why, in words."""

    open: bool
    until: str | None
    words: str


class SessionView(View):
    """A conversation on one channel. userId: the provider's id of the person."""

    id: str
    channel: str
    account: str
    user_id: str
    contact_id: str | None
    name: str | None
    state: operators.State
    window: WindowView
    started_at: str | None
    last_inbound_at: str | None
    blocked_at: str | None
    stopped_at: str | None
    closed_at: str | None


class SessionsResponse(View):
    """A page, the latest first. While there is a cursor there may be more, even if this page is short."""

    sessions: list[SessionView]
    cursor: str | None


class MediaView(View):
    type: str
    url: str
    name: str


class ChatLineView(View):
    """One thing that was said. direction: in or out; messageId, status: of ours, as long as they are remembered."""

    at: str | None
    direction: str
    text: str | None
    media: MediaView | None
    buttons: list[str]
    template: str | None
    message_id: str | None
    status: str | None


class ChatLogResponse(View):
    """A page, the newest first; `cursor` is null on the last one."""

    messages: list[ChatLineView]
    cursor: str | None


class StartedSessionResponse(View):
    """continued: there was a conversation already. message: what was sent, if anything."""

    session: SessionView
    continued: bool
    message: ItemView | None


@blueprint.get("")
@allow(Role.OPERATOR)
@document_querystring(SessionsQuery)
@document_response(SessionsResponse)
async def rows() -> ResponseReturnValue:
    """List conversations, the latest first."""
    found, more = await operators.listed(runtime(), convert(SessionsQuery, query()))
    return answer(SessionsResponse(sessions=[told_session(one) for one in found], cursor=more))


@blueprint.post("")
@allow(Role.OPERATOR)
@document_request(StartSessionRequest)
@document_response(StartedSessionResponse, 201)
async def start() -> ResponseReturnValue:
    """Begin a conversation, and say something in it, if you like."""
    begun = await operators.start(runtime(), read(StartSessionRequest, await body()), g.caller)
    return answer(
        StartedSessionResponse(session=told_session(begun.session), continued=begun.continued, message=begun.message),
        201,
    )


@blueprint.get("/<session:key>/messages")
@allow(Role.OPERATOR)
@document_querystring(ChatLogQuery)
@document_response(ChatLogResponse)
async def log(key: str) -> ResponseReturnValue:
    """Tell what was said in a conversation, the newest first."""
    await _found(key)
    asked, db = convert(ChatLogQuery, query()), runtime().db
    lines = await messages.of_session(db, key, place(asked.cursor), runtime().clock(), asked.limit)
    ours = await notifications.several(db, [line.notification for line in lines if line.notification])
    more = cursor(lines[-1].at, lines[-1].id) if len(lines) == asked.limit else None
    return answer(
        ChatLogResponse(messages=[_line(line, ours.get(line.notification or "")) for line in lines], cursor=more)
    )


@blueprint.post("/<session:key>/messages")
@allow(Role.OPERATOR)
@document_request(ReplyRequest)
@document_response(ItemView, 202)
async def reply(key: str) -> ResponseReturnValue:
    """Say something in a conversation, as an operator; 409 and the reason where it may not be said now."""
    session, repeated = await _found(key), request.headers.get("Idempotency-Key") or None
    return answer(await operators.reply(runtime(), session, read(ReplyRequest, await body()), g.caller, repeated), 202)


@blueprint.post("/<session:key>/close")
@allow(Role.OPERATOR)
@document_response(SessionView)
async def close(key: str) -> ResponseReturnValue:
    """Say that a conversation is over, until the person writes again."""
    closed = await operators.close(runtime(), key)
    return answer(told_session(closed or await _found(key)))


@blueprint.get("/<session:key>")
@allow(Role.OPERATOR)
@document_response(SessionView)
async def one(key: str) -> ResponseReturnValue:
    """Tell how a conversation stands."""
    return answer(told_session(await _found(key)))


async def _found(key: str) -> Session:
    session = await stored.get(runtime().db, key)
    if session is None:
        raise Refusal(404, "There is no such session.", {"id": key})
    return session


def told_session(session: Session) -> SessionView:
    is_open, until, words = operators.open_until(runtime(), session)
    return SessionView(
        id=session.id,
        channel=session.address.channel,
        account=session.address.account,
        user_id=session.address.user,
        contact_id=session.contact,
        name=session.name or None,
        state=operators.state(session),
        window=WindowView(open=is_open, until=iso(until), words=words),
        started_at=iso(session.started_at),
        last_inbound_at=iso(session.last_inbound_at),
        blocked_at=iso(session.blocked_at),
        stopped_at=iso(session.stopped_at),
        closed_at=iso(session.closed_at),
    )


def _line(line: Message, ours: Notification | None) -> ChatLineView:
    content = line.content
    media = msgspec.convert(msgspec.to_builtins(content.media), MediaView) if content and content.media else None
    return ChatLineView(
        at=iso(line.at),
        direction="out" if line.outbound else "in",
        text=content.text if content else None,
        media=media,
        buttons=[button.text for button in content.buttons] if content else [],
        template=f"{line.template.name}/{line.template.language}" if line.template else None,
        message_id=line.notification,
        status=operators.fate(ours, line.attempt) if line.outbound else None,
    )

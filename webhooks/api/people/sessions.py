"""Sessions (conversations) over HTTP: their chat logs, and operators' replies."""

from typing import Any

from quart import Blueprint, g, request
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response
from werkzeug.routing import PathConverter

from gateway.conversations import operators, starting
from gateway.conversations.listing import SessionsQuery, State, page, state
from gateway.conversations.operators import ReplyRequest
from gateway.conversations.starting import StartSessionRequest
from gateway.domain.api.formats import iso
from gateway.domain.api.request import Input, convert, read
from gateway.domain.api.response import ItemView, MediaView, View, media_view
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.files import with_ids
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Last, Message, Session
from gateway.runtime.paging import Cursor, Limit, cursor, place
from storage.messages import chat_log, notifications
from storage.people import sessions
from webhooks.http.answers import Refusal, answer
from webhooks.http.audit import note, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("sessions", __name__, url_prefix="/api/v1/sessions")


class SessionId(PathConverter):
    """Matches channel:account:user in a path. A provider's id of a user may hold anything, but no action at its end."""

    regex = r"[^/].*?(?<!/close)(?<!/messages)(?<!/seen)"


class ChatLogQuery(Input):
    """limit: lines of a page. cursor: the one from the page before."""

    limit: Limit = 50
    cursor: Cursor | None = None


class WindowView(View):
    """Whether we may write freely now, until when, and why, in words."""

    open: bool
    until: str | None
    words: str


class LastView(View):
    """What was said last: the beginning of its text, the type of its file, and whether we said it (`out`)."""

    at: str | None
    text: str
    media: str | None
    direction: str


class SessionView(View):
    """A conversation on one channel. userId: the provider's id of the person.

    unread: how many messages no operator has seen, since unreadFrom; 10 stands for more, too. seenBy: the operator who
    looked last. last: what was said last by the person or by an operator.
    """

    id: str
    channel: str
    account: str
    user_id: str
    contact_id: str | None
    name: str | None
    state: State
    window: WindowView
    started_at: str | None
    last_inbound_at: str | None
    blocked_at: str | None
    stopped_at: str | None
    closed_at: str | None
    unread: int
    unread_from: str | None
    seen_by: str | None
    seen_at: str | None
    last: LastView | None


class SessionsResponse(View):
    """A page, the latest first. While there is a cursor there may be more, even if this page is short."""

    sessions: list[SessionView]
    cursor: str | None


class ChatLineView(View):
    """One line of a chat log.

    at: of a provider that tells whole seconds, when the message came to us within the second that was told.
    others: the files after the first. data: what the person sent to programs, as a form's answers or an order.
    album: the same for files that were sent together.
    direction: in or out. edited: the person has changed an earlier message, and it says this now. author: who said it,
    in a group. by: the operator who wrote it. providerId: the messenger's id of what the person said; an edit
    has that of the message it changes.
    messageId, status: of a message of ours, as long as it is remembered.
    """

    at: str | None
    direction: str
    text: str | None
    media: MediaView | None
    others: list[MediaView]
    data: dict[str, Any]
    album: str | None
    buttons: list[str]
    template: str | None
    edited: bool
    author: str | None
    by: str | None
    provider_id: str | None
    message_id: str | None
    status: str | None


class ChatLogResponse(View):
    """A page, the newest first; `cursor` is null on the last one."""

    messages: list[ChatLineView]
    cursor: str | None


class StartedSessionResponse(View):
    """continued: whether there was a conversation already. message: what was sent, if anything."""

    session: SessionView
    continued: bool
    message: ItemView | None


@blueprint.get("")
@allow(Role.OPERATOR)
@document_querystring(SessionsQuery)
@document_response(SessionsResponse)
async def list_sessions() -> ResponseReturnValue:
    """List conversations, the latest first."""
    rows, next_cursor = await page(runtime(), convert(SessionsQuery, query()))
    return answer(SessionsResponse(sessions=list(map(session_view, rows)), cursor=next_cursor))


@blueprint.post("")
@allow(Role.OPERATOR)
@records(Act.CONVERSATION_START)
@document_request(StartSessionRequest)
@document_response(StartedSessionResponse, 201)
async def start() -> ResponseReturnValue:
    """Start a conversation, with a first message if you like."""
    started = await starting.start(runtime(), read(StartSessionRequest, await body()), g.caller)
    note(started.session.id)
    return answer(
        StartedSessionResponse(
            session=session_view(started.session), continued=started.continued, message=started.message
        ),
        201,
    )


@blueprint.get("/<session:key>/messages")
@allow(Role.OPERATOR)
@document_querystring(ChatLogQuery)
@document_response(ChatLogResponse)
async def list_lines(key: str) -> ResponseReturnValue:
    """List the messages of a conversation, the newest first; also where the person has said nothing yet."""
    log_query, db = convert(ChatLogQuery, query()), runtime().db
    session = await sessions.get(db, key)
    chat, after = session.id if session else key, place(log_query.cursor)
    lines = await chat_log.of_session(db, chat, after, runtime().clock(), log_query.limit)
    if not (session or lines or after):
        raise _unknown(key)
    messages = await notifications.several(db, [line.notification for line in lines if line.notification])
    next_cursor = cursor(lines[-1].at, lines[-1].id) if len(lines) == log_query.limit else None
    views = [_line(line, messages.get(line.notification or "")) for line in lines]
    return answer(ChatLogResponse(messages=views, cursor=next_cursor))


@blueprint.post("/<session:key>/messages")
@allow(Role.OPERATOR)
@records(Act.CONVERSATION_REPLY)
@document_request(ReplyRequest)
@document_response(ItemView, 202)
async def reply(key: str) -> ResponseReturnValue:
    """Reply in a conversation, as an operator; 409 and the reason if that is not allowed now."""
    session, idempotency_key = await _session(key), request.headers.get("Idempotency-Key") or None
    reply_request = read(ReplyRequest, await body())
    return answer(await operators.reply(runtime(), session, reply_request, g.caller, idempotency_key), 202)


@blueprint.post("/<session:key>/close")
@allow(Role.OPERATOR)
@records(Act.CONVERSATION_CLOSE)
@document_response(SessionView)
async def close(key: str) -> ResponseReturnValue:
    """Close a conversation, until the person writes again."""
    session = await _session(key)
    return answer(session_view(await operators.close(runtime(), session.id) or session))


@blueprint.post("/<session:key>/seen")
@allow(Role.OPERATOR)
@document_response(SessionView)
async def see(key: str) -> ResponseReturnValue:
    """Say that you have seen what was said: the conversation is not unread any more."""
    session = await _session(key)
    await operators.see(runtime(), session.id, g.caller)
    return answer(session_view(await sessions.get(runtime().db, session.id) or session))


@blueprint.get("/<session:key>")
@allow(Role.OPERATOR)
@document_response(SessionView)
async def get_session(key: str) -> ResponseReturnValue:
    """Show a conversation and its state: what counts for a reply, by whichever id of theirs the person has said it."""
    return answer(session_view(await operators.whole_conversation(runtime(), await _session(key))))


async def _session(key: str) -> Session:
    session = await sessions.get(runtime().db, key)
    if session is None:
        raise _unknown(key)
    return session


def _unknown(key: str) -> Refusal:
    return Refusal(404, "There is no such session.", {"id": key})


def session_view(session: Session) -> SessionView:
    """Return a conversation as the API shows it."""
    is_open, until, words = operators.open_until(runtime(), session)
    return SessionView(
        id=session.id,
        channel=session.address.channel,
        account=session.address.account,
        user_id=session.address.user,
        contact_id=session.contact,
        name=session.name or None,
        state=state(session),
        window=WindowView(open=is_open, until=iso(until), words=words),
        started_at=iso(session.started_at),
        last_inbound_at=iso(session.last_inbound_at),
        blocked_at=iso(session.blocked_at),
        stopped_at=iso(session.stopped_at),
        closed_at=iso(session.closed_at),
        unread=len(session.unseen),
        unread_from=iso(session.unseen_from),
        seen_by=session.seen_by,
        seen_at=iso(session.seen_at),
        last=_last(session.last),
    )


def _last(last: Last | None) -> LastView | None:
    if last is None:
        return None
    return LastView(at=iso(last.at), text=last.text, media=last.media or None, direction="out" if last.out else "in")


def _line(line: Message, notification: Notification | None) -> ChatLineView:
    content = line.content if line.notification or not line.content else with_ids(line.content, line.id)
    return ChatLineView(
        at=iso(line.at),
        direction="out" if line.outbound else "in",
        text=content.text if content else None,
        media=media_view(content.media) if content and content.media else None,
        others=[media_view(file) for file in content.others] if content else [],
        data=content.data if content else {},
        album=line.album or None,
        buttons=[button.text for button in content.buttons] if content else [],
        template=f"{line.template.name}/{line.template.language}" if line.template else None,
        edited=line.edited,
        provider_id=line.provider_id or None,
        author=line.author or None,
        by=line.by or None,
        message_id=line.notification,
        status=operators.attempt_status(notification, line.attempt) if line.outbound else None,
    )

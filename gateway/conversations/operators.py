"""Operators' conversations: look at them, reply, and close them."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from gateway.conversations.listing import state
from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import (
    BulkRequest,
    ButtonInput,
    Destination,
    Input,
    MediaInput,
    MessageInput,
    RequestError,
    StepInput,
    TemplateInput,
    Text,
)
from gateway.domain.api.response import BulkResponse, ItemView
from gateway.domain.channel import window
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Content, Media, Session
from gateway.messages.accepting.submit import find_answer, submit, validate
from gateway.people import attention
from gateway.people.twins import whole
from gateway.runtime.runtime import Runtime
from storage.people import contacts, sessions


class ReplyRequest(Input):
    """What an operator says: a text, or an approved template when the window is shut."""

    text: Text = ""
    buttons: Annotated[list[ButtonInput], Meta(max_length=10)] = []  # noqa: RUF012 - msgspec copies it
    media: MediaInput | None = None
    template: TemplateInput | None = None


def open_until(runtime: Runtime, session: Session) -> tuple[bool, datetime | None, str]:
    """Return whether we may write freely now, until when, and the same in words."""
    channel, now = runtime.channel(session.address.channel, session.address.account), runtime.clock()
    if channel is None:
        return False, None, "the account is not configured any more"
    rule = channel.facts.window
    return window.is_open(rule, session, now), window.closes_at(rule, session), window.describe(rule, session, now)


async def whole_conversation(runtime: Runtime, session: Session) -> Session:
    """Return a conversation with what the person has done in it by another id of theirs, as it counts for a reply."""
    channel = runtime.channel(session.address.channel, session.address.account)
    contact = await contacts.get(runtime.db, session.contact) if channel and session.contact else None
    return whole(channel, session, await sessions.of_contact(runtime.db, contact)) if channel and contact else session


async def reply(
    runtime: Runtime, session: Session, request: ReplyRequest, caller: str, key: str | None, scope: str = ""
) -> ItemView:
    """Send an operator's reply. Returns its item. Raises RequestError, or Conflict where it may not be sent now.

    The same key sends once, of the same caller or, with a `scope`, in that, whoever calls.
    """
    words = {"text": request.text} | {f"button{index}": button.text for index, button in enumerate(request.buttons)}
    template = request.template
    if template:  # nor are an operator's values
        words |= {f"value{index}": value for index, value in enumerate(template.variables.values())}
        named = {name: f"{{{{value{index}}}}}" for index, name in enumerate(template.variables)}
        template = replace(template, variables=named)
    step = StepInput(
        channel=session.address.channel,
        account=session.address.account,
        text="{{text}}" if request.text else "",  # an operator's text is no template
        buttons=[replace(button, text=f"{{{{button{index}}}}}") for index, button in enumerate(request.buttons)],
        media=request.media,
        template=template,
    )
    message = MessageInput(
        destinations=[Destination(chat_session_id=session.id, variables=words)],
        channels=[step],
        priority="urgent",
        use_short_links=False,
    )
    body = msgspec.json.encode(BulkRequest(messages=[message]))
    if key and (earlier := await find_answer(runtime, body, scope or caller, key)):
        return earlier.messages[0]
    item = _only_item(await validate(runtime, body, caller))
    if isinstance(error := item.error, msgspec.Struct):
        raise RequestError(error.code, error.message, error.field.removeprefix("messages[0].channels[0]").lstrip("."))
    if item.channel is None and item.plan:
        raise Conflict(str(item.plan[0].explanation))
    item = _only_item(await submit(runtime, body, scope or caller, key, operator=caller))
    await sessions.change(
        runtime.db, session.id, lambda stored: stored and _after_reply(runtime, stored, request, caller)
    )
    return item


def _after_reply(runtime: Runtime, session: Session, request: ReplyRequest, caller: str) -> Session:
    """Return the session after a reply: whoever replies has seen what was said."""
    named = request.template.name if request.template and not request.text else request.text
    content = Content(named, Media(request.media.type or "document") if request.media else None)
    said = attention.said(attention.seen(session, caller, now := runtime.clock()), content, now)
    return replace(said, active_at=now)


async def see(runtime: Runtime, key: str, caller: str) -> Session | None:
    """Record that an operator has opened a conversation. Returns it as it was before, or None if there is none."""
    before: list[Session] = []

    def step(session: Session | None) -> Session | None:
        before[:] = [session] if session and not session.moved_to else []
        return attention.seen(before[0], caller, runtime.clock()) if before else None

    await sessions.change(runtime.db, key, step)
    return before[0] if before else None


def _only_item(response: bytes) -> ItemView:
    (item,) = msgspec.json.decode(response, type=BulkResponse).messages
    return item


async def close(runtime: Runtime, key: str) -> Session | None:
    """Close a conversation, until the person writes again. Returns it, or None if there is none."""

    def step(session: Session | None) -> Session | None:
        return replace(session, closed_at=runtime.clock()) if session and state(session) != "closed" else session

    return await sessions.change(runtime.db, key, step)


def attempt_status(notification: Notification | None, attempt: int) -> str | None:
    """Return the name of an attempt's progress; None if it is no longer stored. Pure."""
    if notification is None or attempt >= len(notification.attempts):
        return None
    return notification.attempts[attempt].progress.name

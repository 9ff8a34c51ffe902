"""Reports what happens in an account's conversations to the account's own webhook."""

from datetime import datetime
from typing import Any

import msgspec

from gateway.domain.api.formats import iso
from gateway.domain.api.response import media_view
from gateway.domain.model.event import Edit, Inbound, Moved, Subscription, Visit
from gateway.domain.model.nouns import Session
from gateway.messages.callbacks.callbacks import notify_account
from gateway.messages.media.links import with_links
from gateway.runtime.runtime import Runtime


async def report_joining(runtime: Runtime, event: Inbound | Visit, session: Session | None) -> None:
    """Tell that a chat turned out to be a contact's, unless its very address says whose it is."""
    channel = runtime.channel(event.channel, event.account)
    if session is None or session.joined_at != event.at or channel is None:
        return
    if channel.facts.identifier_of(event.address.user) is None:
        key = f"{session.id}@{iso(event.at)}"
        await notify_account(runtime, "session.joined", event.address, key, _fields(event.at, session))


async def report_leaving(runtime: Runtime, event: Inbound | Visit, former: Session) -> None:
    """Tell that a chat is no contact's any more: another one has proved to be theirs, by this event."""
    fields = {"at": iso(event.at), "contact": former.contact, "name": former.name or None}
    await notify_account(runtime, "session.left", former.address, f"{former.id}@{event.dedupe_key}", fields)


async def report_message(runtime: Runtime, event: Inbound, session: Session) -> None:
    """Report a person's message, and what it did to the session. It comes before the bot, which may be slow."""
    fields = _fields(event.at, session)
    if session.started_at == event.at:  # so do other messages of that second: one id, so one call
        await notify_account(runtime, "session.started", event.address, f"{session.id}@{iso(event.at)}", fields)
    await report_joining(runtime, event, session)
    if event.command.name == "stop":
        await notify_account(runtime, "session.stopped", event.address, event.dedupe_key, fields)
    message = _message(runtime, event) | {"kind": event.kind, "album": event.album or None, "button": event.pressed}
    await notify_account(runtime, "message.inbound", event.address, event.dedupe_key, fields | message)


async def report_edit(runtime: Runtime, event: Edit, session: Session | None) -> None:
    """Report what a message says after the person has changed it."""
    fields = _fields(event.at, session or Session(event.address.key, event.address))
    await notify_account(runtime, "message.edited", event.address, event.dedupe_key, fields | _message(runtime, event))


async def report_subscription(runtime: Runtime, event: Subscription) -> None:
    """Report that the person can or cannot be written to."""
    kind = "session.resumed" if event.active else "session.blocked"
    await notify_account(runtime, kind, event.address, event.dedupe_key, {"at": iso(event.at)})


def _fields(at: datetime, session: Session) -> dict[str, Any]:
    return {"at": iso(at), "contact": session.contact, "name": session.name or None}


def _message(runtime: Runtime, event: Inbound | Edit) -> dict[str, Any]:
    """Return what was said. author: who said it, in a group."""
    content = with_links(runtime, event.content, event.dedupe_key)
    return {
        "text": content.text,
        "media": msgspec.to_builtins(media_view(content.media)) if content.media else None,
        "others": msgspec.to_builtins([media_view(file) for file in content.others]),
        "data": content.data,
        "providerId": event.provider_id,
        "author": {"userId": event.author, "name": event.person.name or None} if event.author else None,
    }


async def report_move(runtime: Runtime, event: Moved, session: Session) -> None:
    """Tell the account's webhook that a conversation has another address from now on, unless both are one place."""
    if not event.same:
        fields = {"at": iso(event.at), "movedTo": session.id, "movedToUser": event.to, "contact": session.contact}
        await notify_account(runtime, "session.moved", event.address, f"{event.address.key}>{event.to}", fields)

"""Inbound: what the events in the inbox do. Each may be worked on again after a crash, with the same one effect."""

import asyncio
import logging
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from bots.conversation import command
from gateway.domain.api.formats import iso
from gateway.domain.channel.contract import Channel
from gateway.domain.model.attempt import Step
from gateway.domain.model.event import (
    Echo,
    Event,
    Inbound,
    Preference,
    Receipt,
    Subscription,
    TemplateChange,
    Unrecognised,
    Visit,
)
from gateway.domain.model.notification import Notification, Priority, Recipient, lane_of
from gateway.domain.model.nouns import Contact, Content, Message, Session, template_key
from gateway.messages.callbacks.callbacks import tell_account
from gateway.messages.delivery import receipts
from gateway.people import sessions
from gateway.people.optouts import KINDS, WORD, come_back, leave, names
from gateway.runtime.runtime import Runtime, account_key
from gateway.runtime.telemetry import metrics
from storage.accounts import states
from storage.messages import chat_log, notifications
from storage.messages.inbox import key as event_key
from storage.people import sessions as stored

log = logging.getLogger(__name__)

REPLY_LIFE = timedelta(hours=1)
"""A bot's answer that could not be sent by then would only confuse."""

_told: set[tuple[str, str]] = set()
"""Of which channel and kind the log has said already that we have no word for it."""


async def work(runtime: Runtime, event: Event) -> None:
    """Let an event have its effect."""
    event = _by_now(event, runtime.clock())
    metrics.EVENTS.labels(event.channel, type(event).__name__.lower()).inc()
    match event:
        case Inbound():
            await _inbound(runtime, event)
        case Receipt():
            await receipts.received(runtime, event)
        case Subscription():
            await sessions.subscribed(runtime, event.address, event.at, active=event.active)
            kind = "session.resumed" if event.active else "session.blocked"
            await tell_account(runtime, kind, event.address, event_key(event), {"at": iso(event.at)})
        case Preference():
            await _prefer(runtime, event)
        case Visit():
            await _visit(runtime, event)
        case Echo():
            await _echo(runtime, event)
        case TemplateChange():
            key = template_key(event.channel, event.account, event)
            await states.save_template_state(
                runtime.db, key, usable=event.usable, state=event.state, reason=event.reason, at=event.at
            )
        case Unrecognised():
            if (event.channel, event.kind) not in _told:  # the rest is counted, not told
                _told.add((event.channel, event.kind))
                log.warning("%s:%s sends events of a kind unknown to us: %r", event.channel, event.account, event.kind)


async def _visit(runtime: Runtime, event: Visit) -> None:
    linked = await stored.contact(runtime.db, start_code=event.start) if event.start else None
    await sessions.visited(runtime, event.address, event.person.name, linked.id if linked else None, event.at)


async def _echo(runtime: Runtime, event: Echo) -> None:
    """Into the chat log; if it is ours, its line is there already or will be."""
    key, session = event.address.line(event.provider_id), event.address.key
    await chat_log.log_echo(runtime.db, Message(key, session, outbound=True, at=event.at, content=event.content))


def _by_now(event: Event, now: datetime) -> Event:
    """Nothing has happened in the future, whatever a provider's clock says: it would keep a window open until then."""
    return replace(event, at=now) if event.at > now else event


async def _inbound(runtime: Runtime, event: Inbound) -> None:
    """The session first, so that the answer already finds its window open."""
    channel = runtime.channel(event.address.channel, event.address.account)
    if channel is None:
        raise LookupError(f"{event.address.channel}:{event.address.account} is not configured any more")
    contact = await _contact(runtime, event)
    name, _ = command(event)
    session = await sessions.touched(runtime, channel.facts.window, event, name, contact.id if contact else None)
    runtime.counts.count_event(account_key(channel), event.at)
    await _heed(runtime, event, session, name)
    await _log(runtime, event)
    await _tell(runtime, event, session, name)
    await _answer(runtime, channel, event, session)


async def _contact(runtime: Runtime, event: Inbound) -> Contact | None:
    """Whose conversation this is: by the deep link's code, or by the phone number that the provider tells."""
    name, code = command(event)
    if name == "start" and code and (linked := await stored.contact(runtime.db, start_code=code)):
        return linked
    phone = event.person.phone
    if not phone:
        return None
    if known := await stored.contact(runtime.db, phone=phone):
        return known
    session = await stored.get(runtime.db, event.address.key)
    return await stored.join(runtime.db, runtime.clock(), phone=phone, own=session.contact if session else None)


async def _heed(runtime: Runtime, event: Inbound, session: Session, command: str) -> None:
    """Whoever says stop wants no marketing from us, anywhere; whoever says start wants it again."""
    if command not in {"start", "stop"}:
        return
    person, by = await _names(runtime, session), f"{WORD} in {event.channel}: {event.content.text[:100]}"
    if command == "stop":
        await leave(runtime.db, person, "marketing", event.at, by)
    else:
        await come_back(runtime.db, person, KINDS, event.at, by)


async def _names(runtime: Runtime, session: Session) -> list[str]:
    contact = await stored.contact(runtime.db, id=session.contact) if session.contact else None
    return names(None, contact, [session])


async def _prefer(runtime: Runtime, event: Preference) -> None:
    """A provider's word is about its own channel's marketing; to be safe it is taken for all of ours."""
    session = await stored.get(runtime.db, event.address.key) or Session(event.address.key, event.address)
    person, by = await _names(runtime, session), f"provider {event.channel}"
    if event.marketing:
        await come_back(runtime.db, person, ["marketing"], event.at, by)
    else:
        await leave(runtime.db, person, "marketing", event.at, by)


async def _tell(runtime: Runtime, event: Inbound, session: Session, command: str) -> None:
    """The account's own webhook, before the bot: it may be slow."""
    content, key = event.content, event_key(event)
    told = {"at": iso(event.at), "contact": session.contact, "name": session.name or None}
    if session.started_at == event.at:  # as are others of that second, which are told under the same name, and so once
        await tell_account(runtime, "session.started", event.address, f"{session.id}@{iso(event.at)}", told)
    if command == "stop":
        await tell_account(runtime, "session.stopped", event.address, key, told)
    said = {
        "text": content.text,
        "media": msgspec.to_builtins(content.media) if content.media else None,
        "button": event.pressed,
        "providerId": event.provider_id,
    }
    await tell_account(runtime, "message.inbound", event.address, key, told | said)


async def _log(runtime: Runtime, event: Inbound) -> None:
    """Under the event's own id: a pressed button and an edit name the message that they belong to."""
    await chat_log.log(
        runtime.db, Message(event_key(event), event.address.key, outbound=False, at=event.at, content=event.content)
    )


async def _answer(runtime: Runtime, channel: Channel, event: Inbound, session: Session) -> None:
    """The answer does not wait for the provider to hear that the event was seen."""
    seen = asyncio.create_task(channel.acknowledge(event))
    try:
        content = await runtime.conversation(event, session)
        if content:
            await notifications.add(runtime.db, [await _reply(runtime, event, session, content)])
            runtime.outbox_bell.set()
    finally:
        await seen


async def _reply(runtime: Runtime, event: Inbound, session: Session, content: Content) -> Notification:
    """The bot's answer is a notification like any other, named after the event: it cannot be made twice."""
    address, now, recipient = event.address, runtime.clock(), Recipient(session=session.id)
    return Notification(
        f"reply:{event_key(event)}",
        recipient,
        (Step(address.channel, address.account, content=content),),
        created_at=now,
        expires_at=now + REPLY_LIFE,
        due_at=now,
        priority=Priority.REPLY,
        accepted=runtime.clock.ordinal(),
        person=session.id,
        lane=lane_of(Priority.REPLY),
        reply_to=event.provider_id,
    )

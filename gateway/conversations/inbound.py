"""Inbound: applies the events in the inbox. Each may be repeated after a crash, and still has its effect once."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from gateway.conversations.presses import with_press
from gateway.domain.api.formats import iso
from gateway.domain.api.response import media_view
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
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.notification import Notification, Priority, Recipient, lane_of
from gateway.domain.model.nouns import Content, Message, Session, template_key
from gateway.domain.terms.consent import PERSON, PROVIDER
from gateway.messages.callbacks.callbacks import notify_account
from gateway.messages.delivery import receipts, recording
from gateway.people import sessions
from gateway.people.joining import find_owner
from gateway.people.optouts import KINDS, names, opt_in, opt_out
from gateway.people.spelling import reported_form
from gateway.runtime.runtime import Runtime, account_key
from gateway.runtime.telemetry import metrics
from storage.accounts import states
from storage.messages import chat_log
from storage.people import contacts
from storage.people import sessions as stored

log = logging.getLogger(__name__)

REPLY_LIFE = timedelta(hours=1)
"""How long a bot's answer is valid: later it would only confuse."""

_unknown_kinds: set[tuple[str, str]] = set()
"""The unknown kinds of events, by channel, that the log has already named."""


async def work(runtime: Runtime, event: Event, now: datetime) -> None:
    """Apply an event."""
    event = replace(event, at=now) if event.at > now else event  # a provider's clock would keep a window open till then
    metrics.EVENTS.labels(event.channel, type(event).__name__.lower()).inc()
    match event:
        case Inbound():
            await _receive_message(runtime, event)
        case Receipt():
            await receipts.receive(runtime, event, now)
        case Subscription():
            await sessions.subscribe(runtime, event.address, event.at, active=event.active)
            kind = "session.resumed" if event.active else "session.blocked"
            await notify_account(runtime, kind, event.address, event.dedupe_key, {"at": iso(event.at)})
        case Preference():
            await _apply_preference(runtime, event)
        case Visit():
            await _receive_visit(runtime, event)
        case Echo():  # if it is one of ours, its line is there already or will be
            key, session = event.address.line(event.provider_id), event.address.key
            message = Message(key, session, outbound=True, at=event.at, content=event.content)
            await chat_log.log_echo(runtime.db, message)
        case TemplateChange():
            key = template_key(event.channel, event.account, event)
            await states.save_template_state(
                runtime.db, key, usable=event.usable, state=event.state, reason=event.reason, at=event.at
            )
        case Unrecognised():
            _warn_once(event)


def _warn_once(event: Unrecognised) -> None:
    """Log an unknown kind of event once; further events of the kind are only counted."""
    if (event.channel, event.kind) not in _unknown_kinds:
        _unknown_kinds.add((event.channel, event.kind))
        log.warning("%s:%s sends events of a kind unknown to us: %r", event.channel, event.account, event.kind)


async def _receive_message(runtime: Runtime, event: Inbound) -> None:
    """Apply a person's message. The session comes first, so that the bot's answer finds its window open.

    Raises LookupError if the account is no longer configured.
    """
    channel = runtime.channel(event.address.channel, event.address.account)
    if channel is None:
        raise LookupError(f"{event.address.channel}:{event.address.account} is not configured any more")
    event = await with_press(runtime, channel, event)
    name, code = event.command
    contact = await find_owner(runtime, event, code if name == "start" else "")
    session = await sessions.touch(runtime, channel.facts.window, event, contact)
    runtime.counts.count_event(account_key(channel), event.at)
    await _apply_keyword(runtime, event, session)
    # Under the event's key: a button and an edit name the message that they belong to.
    message = Message(event.dedupe_key, event.address.key, outbound=False, at=event.at, content=event.content)
    await chat_log.log(runtime.db, message)
    await _notify_account(runtime, event, session)
    await _answer(runtime, channel, event, session)


async def _receive_visit(runtime: Runtime, event: Visit) -> None:
    contact = await find_owner(runtime, event, event.start)
    session = await sessions.visit(runtime, event.address, event.person.name, contact, event.at)
    await _notify_of_joining(runtime, event, session)


async def _notify_of_joining(runtime: Runtime, event: Inbound | Visit, session: Session | None) -> None:
    """Tell that a chat turned out to be a contact's, unless its very address says whose it is."""
    channel = runtime.channel(event.channel, event.account)
    if session is None or session.joined_at != event.at or channel is None:
        return
    if channel.facts.identifier_of(event.address.user) is None:
        fields = {"at": iso(event.at), "contact": session.contact, "name": session.name or None}
        await notify_account(runtime, "session.joined", event.address, f"{session.id}@{iso(event.at)}", fields)


async def _apply_keyword(runtime: Runtime, event: Inbound, session: Session) -> None:
    """Opt a person who says stop out of marketing, on all channels; opt one who says start in again."""
    if event.command.name not in {"start", "stop"}:
        return
    person, conversations = await _person(runtime, session)
    by = f"{PERSON} in {event.channel}: {event.content.text[:100]}"
    if event.command.name == "start":
        await opt_in(runtime.db, person, KINDS, event.at, by)
        return
    await opt_out(runtime.db, person, "marketing", event.at, by)
    resumed = max((each.resumed_at for each in conversations if each.resumed_at), default=event.at)
    if resumed > event.at:  # the stop comes late: the person has said start since
        await opt_in(runtime.db, person, ["marketing"], resumed, f"{PERSON}: start")


async def _person(
    runtime: Runtime, session: Session, reported: Iterable[Identifier] = ()
) -> tuple[list[str], list[Session]]:
    """Return all names of the person of a conversation, and their conversations.

    reported: what the provider tells of the person besides.
    """
    identifiers = [name for each in reported if (name := reported_form(each))]
    contact = await contacts.get(runtime.db, session.contact) if session.contact else None
    for identifier in identifiers:
        contact = contact or await contacts.find(runtime.db, identifier)
    others = await stored.of_contact(runtime.db, contact) if contact else []
    conversations = [session, *(each for each in others if each.id != session.id)]
    return names(identifiers, contact, conversations), conversations


async def _apply_preference(runtime: Runtime, event: Preference) -> None:
    """Apply a provider's preference. It concerns marketing on one channel; to be safe we apply it to all channels.

    To be wanted again takes back only what was said there.
    """
    session = await stored.get(runtime.db, event.address.key) or Session(event.address.key, event.address)
    person, _ = await _person(runtime, session, event.person.identifiers)
    by = f"{PROVIDER} {event.channel}"
    if event.marketing:
        await opt_in(runtime.db, person, ["marketing"], event.at, by)
    else:
        await opt_out(runtime.db, person, "marketing", event.at, by)


async def _notify_account(runtime: Runtime, event: Inbound, session: Session) -> None:
    """Call the account's own webhook. It comes before the bot, which may be slow."""
    content = event.content
    fields = {"at": iso(event.at), "contact": session.contact, "name": session.name or None}
    if session.started_at == event.at:  # so do other messages of that second: one id, so one call
        await notify_account(runtime, "session.started", event.address, f"{session.id}@{iso(event.at)}", fields)
    await _notify_of_joining(runtime, event, session)
    if event.command.name == "stop":
        await notify_account(runtime, "session.stopped", event.address, event.dedupe_key, fields)
    message = {
        "text": content.text,
        "media": msgspec.to_builtins(media_view(content.media)) if content.media else None,
        "others": msgspec.to_builtins([media_view(file) for file in content.others]),
        "data": content.data,
        "kind": event.kind,
        "button": event.pressed,
        "providerId": event.provider_id,
    }
    await notify_account(runtime, "message.inbound", event.address, event.dedupe_key, fields | message)


async def _answer(runtime: Runtime, channel: Channel, event: Inbound, session: Session) -> None:
    """Queue the bot's answer. It does not wait for the acknowledgement of the event to the provider."""
    acknowledging = asyncio.create_task(channel.acknowledge(event))
    try:
        content = await runtime.conversation(event, session)
        if content:
            await recording.add(runtime.db, [_build_reply(runtime, event, session, content)])
            runtime.outbox_bell.set()
    finally:
        await acknowledging


def _build_reply(runtime: Runtime, event: Inbound, session: Session, content: Content) -> Notification:
    """Return the bot's answer as a notification. Its id derives from the event, so that it exists only once."""
    address, now, recipient = event.address, runtime.clock(), Recipient(session=session.id)
    return Notification(
        f"reply:{event.dedupe_key}",
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

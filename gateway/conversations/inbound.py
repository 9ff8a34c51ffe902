"""Inbound: applies the events in the inbox. Each may be repeated after a crash, and still has its effect once."""

import logging
from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from gateway.conversations.answering import answer
from gateway.conversations.presses import with_press
from gateway.conversations.reporting import (
    report_edit,
    report_joining,
    report_leaving,
    report_message,
    report_move,
    report_subscription,
)
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.moments import within_second
from gateway.domain.model.event import (
    Echo,
    Edit,
    Event,
    Inbound,
    Moved,
    Preference,
    Receipt,
    Subscription,
    TemplateChange,
    Unrecognised,
    Visit,
)
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Message, Session, template_key
from gateway.domain.terms.consent import PERSON, PROVIDER
from gateway.messages.delivery import receipts
from gateway.messages.media.keeping import keep_later
from gateway.people import sessions
from gateway.people.joining import find_owner
from gateway.people.moving import current_address, move
from gateway.people.optouts import KINDS, names, opt_in, opt_out
from gateway.people.rivalry import settle
from gateway.people.spelling import reported_forms
from gateway.runtime.runtime import Runtime, account_key
from gateway.runtime.telemetry import metrics
from storage.accounts import states
from storage.messages import chat_log
from storage.people import contacts
from storage.people import sessions as stored

log = logging.getLogger(__name__)

_unknown_kinds: set[tuple[str, str]] = set()
"""The unknown kinds of events, by channel, that the log has already named."""


async def work(runtime: Runtime, event: Event, now: datetime, arrived: datetime | None = None) -> None:
    """Apply an event. arrived: when it came to us, if that was not just now."""
    event = replace(event, at=now) if event.at > now else event  # a provider's clock would keep a window open till then
    metrics.EVENTS.labels(event.channel, type(event).__name__.lower()).inc()
    match event:
        case Receipt():
            await receipts.receive(runtime, event, now)
        case TemplateChange():
            key = template_key(event.channel, event.account, event)
            await states.save_template_state(
                runtime.db, key, usable=event.usable, state=event.state, reason=event.reason, at=event.at
            )
        case Moved():
            await _move(runtime, event)
        case Unrecognised():
            _warn_once(event)
        case _:
            address = await current_address(runtime, event.address, event.at)
            await _work_in_conversation(runtime, replace(event, address=address), arrived or now)


async def _work_in_conversation(
    runtime: Runtime, event: Inbound | Edit | Subscription | Preference | Visit | Echo, arrived: datetime
) -> None:
    match event:
        case Inbound():
            await _receive_message(runtime, event, arrived)
        case Edit():
            await _log(runtime, event, arrived)
            await report_edit(runtime, event, await stored.here(runtime.db, event.address.key))
        case Subscription():
            await sessions.subscribe(runtime, event.address, event.at, active=event.active)
            await report_subscription(runtime, event)
        case Preference():
            await _apply_preference(runtime, event)
        case Visit():
            await _receive_visit(runtime, event)
        case Echo():  # if it is one of ours, its line is there already or will be
            key, session = event.address.line(event.provider_id), event.address.key
            at = within_second(event.at, arrived)
            message = Message(key, session, outbound=True, at=at, content=event.content)
            await chat_log.log_echo(runtime.db, message)


def _warn_once(event: Unrecognised) -> None:
    """Log an unknown kind of event once; further events of the kind are only counted."""
    if (event.channel, event.kind) not in _unknown_kinds:
        _unknown_kinds.add((event.channel, event.kind))
        log.warning("%s:%s sends events of a kind unknown to us: %r", event.channel, event.account, event.kind)


async def _receive_message(runtime: Runtime, event: Inbound, arrived: datetime) -> None:
    """Apply a person's message. The session comes before the answer, which finds its window open.

    The line in the log comes before the session: a conversation that moves away takes with it what was logged before
    its session was left, and a session that was changed meanwhile is not left yet.
    Raises LookupError if the account is no longer configured, and Contended if the conversation has just moved away.
    """
    channel = runtime.channel(event.address.channel, event.address.account)
    if channel is None:
        raise LookupError(f"{event.address.channel}:{event.address.account} is not configured any more")
    event = event.in_group() if channel.facts.is_group(event.address.user) else event
    event = await with_press(runtime, channel, event)
    await _log(runtime, event, arrived)
    session = await _touch(runtime, channel, event, arrived)
    runtime.counts.count_event(account_key(channel), event.at)
    await _apply_keyword(runtime, event, session)
    await report_message(runtime, event, session)
    await answer(runtime, channel, event, session)


async def _touch(runtime: Runtime, channel: Channel, event: Inbound, arrived: datetime) -> Session:
    """Return the session after the message. A group is nobody's own, and what nobody said leaves it as it was."""
    if event.automatic:
        return await stored.get(runtime.db, event.address.key) or Session(event.address.key, event.address)
    name, code = event.command
    contact = None if event.group else await find_owner(runtime, event, code if name == "start" else "")
    return await _settle(runtime, event, await sessions.touch(runtime, channel.facts.window, event, contact, arrived))


async def _settle(runtime: Runtime, event: Inbound | Visit, session: Session) -> Session:
    """Let the chats leave the contact whose place a newer proof has taken, perhaps this one. Returns this one."""
    left = await settle(runtime, session) if event.person.identifiers or session.joined_at == event.at else []
    for former in left:
        if former.id != session.id:
            await report_leaving(runtime, event, former)
    return next((replace(former, contact=None, joined_at=None) for former in left if former.id == session.id), session)


async def _log(runtime: Runtime, event: Inbound | Edit, arrived: datetime) -> None:
    """Write what was said, under the event's key: a button and an edit name the message that they belong to."""
    author = (event.person.name or event.author) if event.author else ""
    await chat_log.log(
        runtime.db,
        Message(
            event.dedupe_key,
            event.address.key,
            outbound=False,
            at=within_second(event.at, arrived),
            content=event.content,
            edited=isinstance(event, Edit),
            author=author,
            album="" if isinstance(event, Edit) else event.album,
            provider_id=event.provider_id,
        ),
    )
    await keep_later(runtime, event.content, event.dedupe_key)


async def _receive_visit(runtime: Runtime, event: Visit) -> None:
    channel = runtime.channel(event.channel, event.account)
    if channel and channel.facts.is_group(event.address.user):
        return
    contact = await find_owner(runtime, event, event.start)
    if session := await sessions.visit(runtime, event, contact):
        await report_joining(runtime, event, await _settle(runtime, event, session))


async def _move(runtime: Runtime, event: Moved) -> None:
    """Apply a move. Raises LookupError if the account is no longer configured."""
    channel = runtime.channel(event.channel, event.account)
    if channel is None:
        raise LookupError(f"{event.channel}:{event.account} is not configured any more")
    if session := await move(runtime, channel, event):
        await report_move(runtime, event, session)


async def _apply_keyword(runtime: Runtime, event: Inbound, session: Session) -> None:
    """Opt a person who says stop out of marketing, on all channels; opt one who says start in again.

    Who says it in a group, says it for the group, and its session has stopped.
    """
    if event.group or event.command.name not in {"start", "stop"}:
        return
    person, conversations = await _person(runtime, session)
    by = f"{PERSON} in {event.channel}: {event.said[:100]}"
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
    identifiers = reported_forms(reported)
    contact = await contacts.get(runtime.db, session.contact) if session.contact else None
    for identifier in identifiers:
        contact = contact or await contacts.find(runtime.db, identifier)
    others = await stored.of_contact(runtime.db, contact) if contact else []
    former = await contacts.former_identifiers(runtime.db, contact) if contact else ()
    conversations = [session, *(each for each in others if each.id != session.id)]
    return names((*identifiers, *former), contact, conversations), conversations


async def _apply_preference(runtime: Runtime, event: Preference) -> None:
    """Apply a provider's preference. It concerns marketing on one channel; to be safe we apply it to all channels.

    To be wanted again takes back only what was said there.
    """
    session = await stored.here(runtime.db, event.address.key) or Session(event.address.key, event.address)
    person, _ = await _person(runtime, session, event.person.identifiers)
    by = f"{PROVIDER} {event.channel}"
    if event.marketing:
        await opt_in(runtime.db, person, ["marketing"], event.at, by)
    else:
        await opt_out(runtime.db, person, "marketing", event.at, by)

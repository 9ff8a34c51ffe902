"""Sessions: applies events and errors to them, by pure steps. Every time of a session moves only forward."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from gateway.domain.channel import window
from gateway.domain.channel.moments import latest, within_second
from gateway.domain.channel.window import Window
from gateway.domain.model.answers import Answer, counted, with_answer
from gateway.domain.model.event import Inbound, Visit
from gateway.domain.model.nouns import Address, Cause, Contact, Session
from gateway.people.attention import noticed
from gateway.people.spelling import reported_forms
from gateway.runtime.runtime import Runtime
from storage.accounts import states
from storage.documents.documents import Contended
from storage.people import sessions


async def touch(runtime: Runtime, rule: Window, event: Inbound, contact: Contact | None, arrived: datetime) -> Session:
    """Store and return the session after a person's message: the window is open from the provider's time of it.

    Raises Contended if the conversation has moved away since the event was addressed: it is somewhere else by now.
    """
    at = within_second(event.at, arrived)

    def step(session: Session | None) -> Session:
        if session and session.gone_to(event.at):
            raise Contended(session.id)
        return noticed(after_message(present(session, event.address), rule, event, contact), event, at)

    stored = await sessions.change(runtime.db, event.address.key, step)
    return stored or step(None)


async def remember(runtime: Runtime, session: Session, answer: Answer, confirmed_at: datetime | None) -> None:
    """Store an answer of the bot's, which limits the next ones, in every process.

    confirmed_at: when the person said the stop that it confirms.
    """

    def step(stored: Session | None) -> Session | None:
        return stored and replace(
            stored,
            answers=with_answer(stored.answers, answer),
            spans=counted(stored.answers, stored.spans, answer),
            confirmed_at=latest(stored.confirmed_at, confirmed_at),
        )

    await sessions.change(runtime.db, session.id, step)


async def subscribe(runtime: Runtime, address: Address, at: datetime, *, active: bool) -> None:
    """Record a provider's report that a person can (`active`) or cannot be written to. Outdated ones have no effect."""

    def step(session: Session | None) -> Session | None:
        session = present(session, address)
        if active:
            blocked = _unless_later(session.blocked_at, at)
            return replace(
                session, started_at=latest(session.started_at, at), blocked_at=blocked, **_active(session, at)
            )
        alive = latest(session.last_inbound_at, session.started_at) or at
        return (
            replace(session, blocked_at=latest(session.blocked_at, at), **_active(session, at)) if alive <= at else None
        )

    await sessions.change(runtime.db, address.key, step)


async def visit(runtime: Runtime, event: Visit, contact: Contact | None) -> Session | None:
    """Record that a person has opened the chat. That may reveal the contact, but the session has not started.

    Returns the session.
    """
    address, name, at = event.address, event.person.name, event.at

    def step(session: Session | None) -> Session:
        session = present(session, address)
        session = replace(session, name=name or session.name, **_joined(session, contact, at))
        return replace(session, **_active(session, at), **_proved(session, event))

    return await sessions.change(runtime.db, address.key, step)


async def correct(runtime: Runtime, address: Address, cause: Cause, template: str, reason: str, at: datetime) -> None:
    """Learn from a provider's refusal: the window is shut, the person has blocked us, the template is unusable.

    `template` is channel:account:name:language, or "". at: when it was refused; later changes stay.
    """
    if cause is Cause.STOPPED:
        await subscribe(runtime, address, at, active=False)
    elif cause is Cause.WINDOW_CLOSED:
        await sessions.change(runtime.db, address.key, lambda session: after_closing(session, address, at))
    elif cause is Cause.TEMPLATE_UNUSABLE and template:
        await states.save_template_state(runtime.db, template, usable=False, state="refused", reason=reason, at=at)


def after_message(session: Session, rule: Window, event: Inbound, contact: Contact | None) -> Session:
    """Return the session after a person's message. A group is nobody's, and not named after who spoke. Pure."""
    at, command = event.at, event.command.name
    started = latest(session.started_at, at) if command == "start" else session.started_at or at
    stopped, resumed = session.stopped_at, session.resumed_at
    if command == "start":
        stopped, resumed = _unless_later(stopped, at), latest(resumed, at)
    elif command == "stop" and (resumed is None or resumed <= at):
        stopped = latest(stopped, at)
    own = {"contact": None} if event.group else {"name": event.person.name or session.name}
    return replace(
        session,
        started_at=started,
        last_inbound_at=latest(session.last_inbound_at, at),
        window_from_at=window.opened_from(rule, session, at),
        blocked_at=_unless_later(session.blocked_at, at),
        stopped_at=stopped,
        resumed_at=resumed,
        closed_at=None,  # whatever the provider's clock says: we had not heard of it when it was closed
        **_active(session, at),
        **own,
        **_joined(session, contact, at),
        **_proved(session, event),
    )


def after_closing(session: Session | None, address: Address, at: datetime) -> Session:
    """Return the session after a provider's report that the window was shut. Pure."""
    session = present(session, address)
    return replace(session, window_closed_at=latest(session.window_closed_at, at))


def present(session: Session | None, address: Address) -> Session:
    """Return the session at an address: a new one where there is none, or where it has moved away. Pure."""
    if session is None or session.moved_to:
        return Session(address.key, address, version=session.version if session else 0)
    return session


def _active(session: Session, at: datetime) -> dict[str, Any]:
    return {"active_at": latest(session.active_at, at)}


def _joined(session: Session, contact: Contact | None, at: datetime) -> dict[str, Any]:
    """Return the contact, and since when, where the chat turns out to be theirs."""
    if contact is None or session.contact in contact.ids:
        return {}
    return {"contact": contact.id, "joined_at": at}


def _proved(session: Session, event: Inbound | Visit) -> dict[str, Any]:
    """Return what the provider reports of who this is, unless it has reported something later."""
    names = () if isinstance(event, Inbound) and event.group else reported_forms(event.person.identifiers)
    if not names or (session.proved_at and session.proved_at > event.at):
        return {}
    return {"proved": names, "proved_at": event.at}


def _unless_later(blocked_at: datetime | None, at: datetime) -> datetime | None:
    """Return the time of a block, or None where a sign of life at this moment lifts it: an earlier block."""
    return blocked_at if blocked_at and blocked_at > at else None

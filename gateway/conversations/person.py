"""The person of a conversation: who they are, whether they want messages, and by which channels they can be reached."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from gateway.domain.channel import window
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.window import Mode
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Contact, Session
from gateway.domain.terms.price import Price
from gateway.messages.delivery.reachability import (
    KnownRecipient,
    address_by_identifier,
    find_recipient,
    session_here,
)
from gateway.people import optouts
from gateway.people.twins import whole
from gateway.runtime.runtime import Runtime, account_key, all_channels
from storage.messages import notifications
from storage.messages.notifications import IndexQuery, Person

Terms = Literal["any", "until", "charged", "template", "shut", "blocked", "stopped", "unwanted"]
"""How a channel takes what we write: at any time, until a moment, at a price, as approved templates only, or not.

unwanted: the person has opted out of everything, by whatever channel.
"""

FREELY = frozenset[Terms]({"any", "until", "charged"})
"""The terms on which a text is taken."""


@dataclass(frozen=True)
class Way:
    """One channel that reaches the person. until: when its window closes. price: of one message, where it is known."""

    channel: Channel
    session: Session | None
    terms: Terms
    until: datetime | None
    price: Price | None

    @property
    def free(self) -> bool:
        """Return whether a text may be written by it now."""
        return self.terms in FREELY


@dataclass(frozen=True)
class Someone:
    """Who somebody is. optouts: the kinds of messages that they do not want. latest: what was sent to them."""

    contact: Contact | None
    identifiers: Sequence[Identifier]
    optouts: Sequence[str]
    ways: Sequence[Way]
    latest: Sequence[Notification]


async def person_of(runtime: Runtime, session: Session, most: int) -> Someone:
    """Return who is on the other side of a conversation, with up to so many of the latest messages to them.

    What was said in conversations is not among these.
    """
    known = await find_recipient(runtime, Recipient(session=session.id))
    names = Person(tuple(known.identifiers), known.contact.ids if known.contact else ())
    unwanted, latest = await asyncio.gather(optouts.kinds_of(runtime.db, known.names), _latest(runtime, names, most))
    ways = [way for channel in all_channels(runtime.channels) if (way := _way(runtime, channel, known))]
    if "all" in unwanted:
        ways = [replace(way, terms="unwanted") for way in ways]
    return Someone(known.contact, known.identifiers, unwanted, ways, latest)


async def _latest(runtime: Runtime, person: Person, most: int) -> list[Notification]:
    if not person.fields:
        return []
    return await notifications.page(runtime.db, IndexQuery(person=person), None, runtime.clock(), most)


def _way(runtime: Runtime, channel: Channel, known: KnownRecipient) -> Way | None:
    """Return how an account of ours reaches the person; None where it does not."""
    session = session_here(channel, known)
    if session is None and (channel.facts.needs_start or address_by_identifier(channel, known.identifiers) is None):
        return None
    session = whole(channel, session, known.sessions) if session else None
    price = runtime.settings.prices.get(account_key(channel))
    return Way(channel, session, terms(channel, session, runtime.clock()), _until(channel, session), price)


def _until(channel: Channel, session: Session | None) -> datetime | None:
    return window.closes_at(channel.facts.window, session)


def terms(channel: Channel, session: Session | None, now: datetime) -> Terms:
    """Return how an account takes what we write in a conversation now. Pure."""
    if session and (session.blocked_at or session.stopped_at):
        return "blocked" if session.blocked_at else "stopped"
    facts = channel.facts
    if facts.needs_start and (session is None or session.started_at is None):
        return "shut"
    if facts.window.mode is Mode.NONE:
        return "any"
    if window.is_free(facts.window, session, now):
        return "until" if window.is_open(facts.window, session, now) else "charged"
    return "template" if facts.templates else "shut"

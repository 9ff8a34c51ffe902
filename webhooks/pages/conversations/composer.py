"""What may be written in a conversation now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.conversations.person import Someone, Terms, Way, terms
from gateway.domain.channel import window
from gateway.domain.channel.contract import Channel
from gateway.domain.model.nouns import Content, Media, Session
from gateway.domain.terms.price import Price
from gateway.messages.media.attaching import link_to_upload
from gateway.runtime.runtime import account_key
from webhooks.http.context import runtime
from webhooks.pages.conversations.typed import Typed

SOON = timedelta(hours=2)
"""The rest of a window from which on its end is near."""


@dataclass(frozen=True)
class Bar:
    """The line that says how the window stands now. length: of the window. since: when it was shut."""

    terms: Terms
    until: datetime | None
    left: timedelta
    length: timedelta
    since: datetime | None
    now: datetime

    @property
    def soon(self) -> bool:
        """Return whether the window closes soon."""
        return self.left < SOON


def bar(channel: Channel, session: Session, someone: Someone) -> Bar:
    """Return how the window of somebody's conversation stands."""
    now, rule = runtime().clock(), channel.facts.window
    ends = window.closes_at(rule, session)
    last_moment = ends - window.MARGIN if ends else None
    left = max(timedelta(0), last_moment - now) if last_moment else timedelta(0)
    closed = session.blocked_at or session.stopped_at or (ends if ends and ends <= now else last_moment)
    taken: Terms = "unwanted" if "all" in someone.optouts else terms(channel, session, now)
    return Bar(taken, last_moment, left, rule.length, closed, now)


@dataclass(frozen=True)
class Cost:
    """What a text is charged as. price: of all its parts, where it is known."""

    parts: int
    price: Price | None


def price_of(channel: Channel) -> Price | None:
    """Return what one part of a text costs, where it is known."""
    return runtime().settings.prices.get(account_key(channel))


async def cost(channel: Channel, typed: Typed) -> Cost | None:
    """Return what a text with its file is charged as; None where nothing is written, or nothing is counted."""
    count, link = channel.facts.parts, await link_to_upload(runtime(), typed.uploaded) if typed.uploaded else ""
    if count is None or not (typed.text.strip() or link):
        return None
    parts = count(Content(typed.text, Media("document", link) if link else None))
    price = price_of(channel)
    return Cost(parts, price.times(parts) if price else None)


def others(someone: Someone, session: Session) -> Sequence[Way]:
    """Return the other ways by which a text may be written to the person now."""
    return [way for way in someone.ways if way.free and not _is_here(way, session)]


def _is_here(way: Way, session: Session) -> bool:
    address = session.address
    return (way.channel.facts.name, way.channel.account) == (address.channel, address.account)


def takes_files(channel: Channel) -> bool:
    """Return whether a file may be attached: one that takes no bytes needs an address, which a secret signs."""
    return channel.facts.takes_uploads or bool(runtime().settings.media_secrets)

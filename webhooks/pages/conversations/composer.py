"""What may be written in a conversation now, and what somebody has typed into its forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_urlsafe

from gateway.conversations.person import Someone, Terms, Way, terms
from gateway.domain.api.request import RequestError
from gateway.domain.channel import window
from gateway.domain.channel.contract import Channel
from gateway.domain.model.nouns import Session
from webhooks.http.context import runtime

SOON = timedelta(hours=2)
"""The rest of a window from which on its end is near."""


@dataclass(frozen=True)
class Typed:
    """What was typed, and what is wrong with it. by: another channel by which it is to go. key: sends it once."""

    text: str = ""
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    wrong: str = ""
    at: str = ""
    key: str = field(default_factory=lambda: token_urlsafe(12))


@dataclass(frozen=True)
class Bar:
    """The line that says how the window stands. length: of the window. since: when it was shut."""

    terms: Terms
    until: datetime | None
    left: timedelta
    length: timedelta
    since: datetime | None

    @property
    def soon(self) -> bool:
        """Return whether the window closes soon."""
        return self.left < SOON


def bar(channel: Channel, session: Session) -> Bar:
    """Return how the window of a conversation stands."""
    now, rule = runtime().clock(), channel.facts.window
    ends = window.closes_at(rule, session)
    last_moment = ends - window.MARGIN if ends else None
    left = max(timedelta(0), last_moment - now) if last_moment else timedelta(0)
    closed = session.blocked_at or session.stopped_at or (ends if ends and ends <= now else last_moment)
    return Bar(terms(channel, session, now), last_moment, left, rule.length, closed)


def others(someone: Someone, session: Session) -> Sequence[Way]:
    """Return the other ways by which a text may be written to the person now."""
    return [way for way in someone.ways if way.free and not _is_here(way, session)]


def _is_here(way: Way, session: Session) -> bool:
    address = session.address
    return (way.channel.facts.name, way.channel.account) == (address.channel, address.account)


def mistake(error: RequestError) -> tuple[str, str]:
    """Return the sentence and the field of a mistake."""
    return str(error), error.field

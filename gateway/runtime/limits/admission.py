"""May it leave now? Limits, holds and the room that one account has: exact over all processes, fair to the others.

Limits are moments reserved in the database, holds are words in it, room is this process's own affair.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.domain.channel.facts import Limits, Rate
from gateway.domain.channel.window import span
from gateway.domain.model.notification import Priority, lane_of
from gateway.runtime.limits.holds import Holds
from gateway.runtime.limits.limiter import Moments, RateLimiter
from gateway.runtime.telemetry import metrics
from storage.engine.database import Db

HORIZON = {
    Priority.REPLY: timedelta(seconds=5),
    Priority.URGENT: timedelta(seconds=3),
    Priority.NORMAL: timedelta(seconds=2),
    Priority.BULK: timedelta(seconds=0.75),
}
"""How far ahead a moment may be reserved: whoever may look further ahead goes before those who may not.

The shortest is longer than the worker's pause between two looks, or a mailing would not use what it may.
"""

ROOM = 400
"""Sends of one account under way in one process: a slow provider holds up no more than these."""

LOOK_AROUND = timedelta(seconds=5)
"""How often the lanes that other processes have filled are looked for."""


@dataclass(frozen=True)
class Entry:
    """What wants to leave: `count` pieces from an account to a person, as a template or freely.

    person: the address's key. template: its key, or "".
    """

    account: str
    person: str
    priority: Priority
    count: int = 1
    group: bool = False
    template: str = ""


@dataclass(frozen=True)
class NotYet:
    """Not now, but `until`; or, where it is None, as soon as the account has room: it waits in the account's lane."""

    until: datetime | None
    why: str


class Gate:
    """`limits`: of each account, by channel:name."""

    def __init__(self, db: Db, limits: Mapping[str, Limits]) -> None:
        self.limits = limits
        self.holds = Holds(db, limits)
        self._limiter = RateLimiter(db)
        self._under_way: Counter[str] = Counter()
        self._lanes: set[str] = set()
        self._looked_around = datetime(1970, 1, 1, tzinfo=UTC)

    async def ask(self, entry: Entry, now: datetime) -> Moments | NotYet:
        """The moments at which the pieces may leave, reserved; or why not yet."""
        if self._under_way[entry.account] >= ROOM:
            metrics.LIMITER_WAITS.labels(entry.account, "room").inc()
            return NotYet(None, f"{ROOM} messages of this account are under way")
        moments = await self._within_limits(entry, now)
        if isinstance(moments, NotYet):
            return moments
        return await self._not_held(entry, now) or moments

    async def _within_limits(self, entry: Entry, now: datetime) -> Moments | NotYet:
        """The account's limit first: a moment that is reserved and then not used is lost to everybody."""
        limits, horizon, moments = self.limits[entry.account], HORIZON[entry.priority], [now] * entry.count
        own = limits.group if entry.group else limits.person
        asked = [("account", entry.account, limits.account, horizon)]
        asked += [("template", entry.template, limits.template, horizon)] if entry.template else []
        asked += [("group" if entry.group else "person", entry.person, own, HORIZON[Priority.REPLY])]
        limited = [(kind, key, rate, ahead) for kind, key, rate, ahead in asked if rate]
        for kind, key, rate, ahead in limited:  # what is known to be too early takes no moment of the others
            if later := self._limiter.too_early(key, rate, ahead, now):
                return _not_yet(entry, kind, rate, later)
        for kind, key, rate, ahead in limited:
            found = await self._limiter.take(key, rate, entry.count, ahead, now)
            if isinstance(found, datetime):
                return _not_yet(entry, kind, rate, found)
            moments = list(map(max, moments, found))
        return moments

    async def _not_held(self, entry: Entry, now: datetime) -> NotYet | None:
        """Of an account that has been held, one message goes first; None: this one may go."""
        hold = self.holds.of(entry.account, now)
        if hold is None or (hold.until <= now and await self.holds.may_try(entry.account, now)):
            return None
        if hold.until > now:  # it began after the rule had looked, which knows what to do about it
            return NotYet(now, f"held, {hold.why}")
        return NotYet(now + LOOK_AROUND, f"held, {hold.why}; one message tries whether it still is")

    def enter(self, account: str) -> None:
        """A send of this account begins."""
        self._under_way[account] += 1

    def leave(self, account: str) -> None:
        """And has ended."""
        self._under_way[account] -= 1

    def park(self, lane: str) -> None:
        """Something waits in this lane."""
        self._lanes.add(lane)

    def emptied(self, lane: str) -> None:
        """Nothing was found there."""
        self._lanes.discard(lane)

    def lanes(self, now: datetime) -> Iterator[tuple[Priority, str]]:
        """The lanes to be looked at, in the order of priority."""
        if abs(now - self._looked_around) >= LOOK_AROUND:  # clocks are put back, too
            self._looked_around = now
            self._lanes |= self.all_lanes()
        for priority in Priority:
            yield priority, lane_of(priority)
            parked = (lane_of(priority, account) for account in self.limits)
            yield from ((priority, lane) for lane in parked if lane in self._lanes)

    def all_lanes(self) -> set[str]:
        """Every lane in which something of an account of ours can wait."""
        return {lane_of(priority, account) for priority in Priority for account in self.limits}

    def room(self, lane: str, priority: Priority, now: datetime) -> int:
        """How many of this lane could leave within the next moments.

        Of an account that is held for long all may come: the rule knows how long each has the patience to wait.
        """
        account = lane.rpartition("/")[0]
        if not account:
            return ROOM
        rate = self.limits[account].account
        hold, room = self.holds.of(account, now), ROOM - self._under_way[account]
        if hold and hold.until <= now + LOOK_AROUND:
            return int(hold.until <= now)
        if rate is None or hold:
            return room
        free_at = max(self._limiter.free_at(account) or now, now) - rate.interval * (rate.burst - 1)
        return min(room, max(0, (now + HORIZON[priority] - free_at) // rate.interval + 1))


def _not_yet(entry: Entry, kind: str, rate: Rate, later: datetime) -> NotYet:
    metrics.LIMITER_WAITS.labels(entry.account, kind).inc()
    until = None if kind == "account" else later
    return NotYet(until, f"at most {rate.count} in {span(rate.per)}{_OF[kind]}")


_OF = {"account": "", "template": " of this template", "person": " to one person", "group": " to one person"}

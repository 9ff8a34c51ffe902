"""Admission: it decides when a message may leave, by limits, holds and the room of an account.

Limits are moments reserved in the database and holds are documents in it, so both are exact over all processes. Room is
this process's own affair.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.domain.channel.rates import Limits, Rate
from gateway.domain.channel.window import span
from gateway.domain.model.notification import Priority, lane_of
from gateway.runtime.limits.holds import Holds
from gateway.runtime.limits.limiter import Moments, RateLimiter
from gateway.runtime.telemetry import metrics
from storage.documents.documents import Db

HORIZON = {
    Priority.REPLY: timedelta(seconds=5),
    Priority.URGENT: timedelta(seconds=3),
    Priority.NORMAL: timedelta(seconds=2),
    Priority.BULK: timedelta(seconds=0.75),
}
"""How far ahead a moment may be reserved: a priority with a longer horizon goes before one with a shorter one.

The shortest is longer than the worker's pause between two polls, or a bulk would not use the whole rate.
"""

ROOM = 400
"""Sends of one account under way in one process: a slow provider blocks no more than these."""

LOOK_AROUND = timedelta(seconds=5)
"""How often lanes that other processes have filled are looked for."""


@dataclass(frozen=True)
class Entry:
    """A request to send `count` pieces from an account to a person.

    account: channel:name. person: the address's key. template: its key, or "" for free text.
    """

    account: str
    person: str
    priority: Priority
    count: int = 1
    group: bool = False
    template: str = ""


@dataclass(frozen=True)
class NotYet:
    """The message has to wait `until` then; None: in the account's lane, until the account has room. why: in words."""

    until: datetime | None
    why: str


class Gate:
    """Admits sends. limits: those of each account, by channel:name."""

    def __init__(self, db: Db, limits: Mapping[str, Limits]) -> None:
        self.limits = limits
        self.holds = Holds(db, limits)
        self._limiter = RateLimiter(db)
        self._under_way: Counter[str] = Counter()
        self._lanes: set[str] = set()
        self._searched_at = datetime(1970, 1, 1, tzinfo=UTC)

    async def ask(self, entry: Entry, now: datetime) -> Moments | NotYet:
        """Reserve the moments at which the pieces may leave. Returns them, or why the message has to wait."""
        if self._under_way[entry.account] >= ROOM:
            metrics.LIMITER_WAITS.labels(entry.account, "room").inc()
            return NotYet(None, f"{ROOM} messages of this account are under way")
        moments = await self._reserve(entry, now)
        if isinstance(moments, NotYet):
            return moments
        return await self._wait_for_hold(entry, now) or moments

    async def _reserve(self, entry: Entry, now: datetime) -> Moments | NotYet:
        """Reserve by the account's limit first: a moment that is reserved and not used is lost to everybody."""
        limits, horizon, moments = self.limits[entry.account], HORIZON[entry.priority], [now] * entry.count
        own = limits.group if entry.group else limits.person
        rates = [("account", entry.account, limits.account, horizon)]
        rates += [("template", entry.template, limits.template, horizon)] if entry.template else []
        rates += [("group" if entry.group else "person", entry.person, own, HORIZON[Priority.REPLY])]
        limited = [(kind, key, rate, ahead) for kind, key, rate, ahead in rates if rate]
        # A request that is too early for one limit takes no moment of the others.
        for kind, key, rate, ahead in limited:
            if later := self._limiter.too_early(key, rate, ahead, now):
                return _not_yet(entry, kind, rate, later)
        for kind, key, rate, ahead in limited:
            reserved = await self._limiter.take(key, rate, entry.count, ahead, now)
            if isinstance(reserved, datetime):
                return _not_yet(entry, kind, rate, reserved)
            moments = list(map(max, moments, reserved))
        return moments

    async def _wait_for_hold(self, entry: Entry, now: datetime) -> NotYet | None:
        """Return why an account's hold makes this message wait; None if it may leave.

        When a hold has ended, one message goes first.
        """
        hold = self.holds.of(entry.account, now)
        if hold is None or (hold.until <= now and await self.holds.may_try(entry.account, now)):
            return None
        if hold.until > now:  # it began after the rule had decided; the next decision takes it into account
            return NotYet(now, f"held, {hold.why}")
        return NotYet(now + LOOK_AROUND, f"held, {hold.why}; one message tries whether it still is")

    def enter(self, account: str) -> None:
        """Count a send of this account that begins."""
        self._under_way[account] += 1

    def leave(self, account: str) -> None:
        """Count a send of this account that has ended."""
        self._under_way[account] -= 1

    def park(self, lane: str) -> None:
        """Remember that something waits in this lane."""
        self._lanes.add(lane)

    def emptied(self, lane: str) -> None:
        """Remember that this lane is empty."""
        self._lanes.discard(lane)

    def lanes(self, now: datetime) -> Iterator[tuple[Priority, str]]:
        """Yield the lanes in which messages may wait, in the order of priority."""
        if abs(now - self._searched_at) >= LOOK_AROUND:  # clocks are put back, too
            self._searched_at = now
            self._lanes |= self.all_lanes()
        for priority in Priority:
            yield priority, lane_of(priority)
            parked = (lane_of(priority, account) for account in self.limits)
            yield from ((priority, lane) for lane in parked if lane in self._lanes)

    def all_lanes(self) -> set[str]:
        """Return every lane in which messages of our accounts can wait."""
        return {lane_of(priority, account) for priority in Priority for account in self.limits}

    def room(self, lane: str, priority: Priority, now: datetime) -> int:
        """Return how many messages of this lane could leave within the priority's horizon.

        For an account that is held for long, all may come: the rule decides how long each of them waits.
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

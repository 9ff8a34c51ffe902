"""Whose turn is it? Messages to one person leave an account in the order of acceptance; then the gate is asked."""

from datetime import datetime, timedelta

from gateway.domain.cascade.moves import Reachability, Send
from gateway.domain.model.notification import Notification, Status, lane_of
from gateway.domain.model.nouns import Address
from gateway.messages.delivery.reachability import channel_of, template_of
from gateway.runtime.limits.admission import Entry, NotYet
from gateway.runtime.limits.limiter import Moments
from gateway.runtime.runtime import Runtime
from storage.messages import notifications
from storage.messages.notifications import Ahead

SOON = timedelta(seconds=1.5)
"""What is due by then was perhaps only put back by a process that had too many of this person."""

FIRST, MOST = timedelta(seconds=0.5), timedelta(seconds=5)
"""How long a message waits behind one other, which is about to leave, and at most behind many."""


async def admitted(
    runtime: Runtime, notification: Notification, send: Send, reach: Reachability, address: Address, count: int
) -> Moments | NotYet:
    """The moments at which the `count` pieces may leave, or why not yet."""
    now = runtime.clock()
    if ahead := await _ahead(runtime, notification, reach.account, now):
        words = "an earlier message to this person goes first"
        return NotYet(now + min(FIRST * ahead, MOST), words)
    step = notification.steps[send.step]
    template = template_of(channel_of(runtime, step), step) if send.template else ""
    group = reach.facts.is_group(address.user)
    return await runtime.gate.ask(Entry(reach.account, address.key, notification.priority, count, group, template), now)


def put_off(runtime: Runtime, notification: Notification, account: str, reason: NotYet) -> Notification:
    """The notification that waits: until a moment, or in its account's lane until there is room."""
    now = runtime.clock()
    told = notification.saying(now, f"{account.partition(':')[0]}: {reason.why}")
    if reason.until:
        return told.waiting(min(reason.until, told.expires_at), now, Status.NEW, account)
    lane = lane_of(told.priority, account)
    runtime.gate.park(lane)
    return told.parked(lane, account, now)


async def _ahead(runtime: Runtime, notification: Notification, account: str, now: datetime) -> int:
    """How many of this person's messages were accepted earlier and may want to leave this account too."""
    if notification.person is None:
        return 0
    others = await notifications.of_person(runtime.db, notification.person)
    return sum(_goes_first(other, notification, account, now) for other in others)


def _goes_first(other: Ahead, notification: Notification, account: str, now: datetime) -> bool:
    """One that nobody has looked at yet may want to leave anywhere."""
    if (other.accepted, other.id) >= (
        notification.accepted,
        notification.id,
    ) or other.priority != notification.priority:
        return False
    if other.fifo:
        return other.fifo == account
    return other.lease is not None or (other.due_at is not None and other.due_at <= now + SOON)

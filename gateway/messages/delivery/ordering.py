"""FIFO per recipient: messages to one person leave an account in the order of acceptance, then pass admission."""

from datetime import datetime, timedelta

from gateway.domain.model.notification import Notification, Status, lane_of
from gateway.runtime.limits.admission import Entry, NotYet
from gateway.runtime.limits.limiter import Moments
from gateway.runtime.runtime import Runtime
from storage.messages import notifications
from storage.messages.notifications import Ahead

SOON = timedelta(seconds=1.5)
"""A message due by then may only have been put back by a process that had too many to this person."""

FIRST, MOST = timedelta(seconds=0.5), timedelta(seconds=5)
"""How long a message waits for each other one ahead of it, and at most for all of them."""


async def admit(runtime: Runtime, notification: Notification, entry: Entry) -> Moments | NotYet:
    """Return the moments at which the pieces of the entry may leave, or why not yet."""
    now = runtime.clock()
    if ahead := await _count_ahead(runtime, notification, entry.account, now):
        words = "an earlier message to this person goes first"
        return NotYet(now + min(FIRST * ahead, MOST), words)
    return await runtime.gate.ask(entry, now)


def put_off(runtime: Runtime, notification: Notification, account: str, reason: NotYet) -> Notification:
    """Return the notification waiting: until a moment, or in its account's lane until there is room."""
    now = runtime.clock()
    notification = notification.saying(now, f"{account.partition(':')[0]}: {reason.why}")
    if reason.until:
        return notification.waiting(min(reason.until, notification.expires_at), now, Status.NEW, account)
    lane = lane_of(notification.priority, account)
    runtime.gate.park(lane)
    return notification.parked(lane, account, now)


async def _count_ahead(runtime: Runtime, notification: Notification, account: str, now: datetime) -> int:
    """Count this person's messages that were accepted earlier and may want to leave this account too."""
    if notification.person is None:
        return 0
    others = await notifications.of_person(runtime.db, notification.person)
    return sum(_goes_first(other, notification, account, now) for other in others)


def _goes_first(other: Ahead, notification: Notification, account: str, now: datetime) -> bool:
    """Return whether the other one goes first. One without a FIFO may still go to any account."""
    earlier = (other.accepted, other.id) < (notification.accepted, notification.id)
    if not earlier or other.priority != notification.priority:
        return False
    if other.fifo:
        return other.fifo == account
    return other.lease is not None or (other.due_at is not None and other.due_at <= now + SOON)

"""Cancelling: a message that has not left is stopped for certain; of one that has, the caller hears what has left."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from gateway.domain.api.request import CancelRequest, RequestError
from gateway.domain.model.attempt import Attempt, in_doubt
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Progress
from gateway.messages.accepting.plans import MOST_OF_ONE
from gateway.messages.delivery import recording
from gateway.runtime.runtime import Runtime
from storage.messages import notifications

AT_ONCE = 200

LEFT = {
    Progress.SENDING: "is being sent at this moment",
    Progress.UNKNOWN: "may have been sent",
    Progress.SENT: "was sent",
    Progress.DELIVERED: "was delivered",
    Progress.READ: "was read",
}


@dataclass(frozen=True)
class Outcome:
    """What became of the wish. `reason`: why it came too late, or "" if it did not."""

    id: str
    cancelled: bool
    reason: str = ""


async def cancel(runtime: Runtime, asked: CancelRequest) -> list[Outcome]:
    """Cancel one message, a group or a bulk; what became of each. Raises RequestError, LookupError if none is there."""
    keys = await _named(runtime, asked)
    outcomes = []
    for start in range(0, len(keys), AT_ONCE):
        changed = await asyncio.gather(*(_change(runtime, key) for key in keys[start : start + AT_ONCE]))
        outcomes += [outcome(notification) for notification in changed if notification]
    if not outcomes:
        raise LookupError("There is no such message.")
    runtime.outbox_bell.set()
    return outcomes


async def _change(runtime: Runtime, key: str) -> Notification | None:
    return await recording.change(runtime.db, key, lambda old: cancelled(old, runtime.clock()))


def cancelled(old: Notification, now: datetime) -> Notification:
    """The notification after the wish: stopped, if nothing has left; else it takes no further step. Pure.

    Of what was sent and is at rest the provider may yet say that it has failed: nothing follows from that any more.
    """
    ended = _left(old) is None or old.status in {Status.DELIVERED, Status.READ}
    if old.cancelled_at or (old.due_at is None and ended):
        return old
    stopped = replace(old.saying(now, "cancelled by the caller"), cancelled_at=now)
    if _left(old) is None:
        # What was out once and has failed since does not go back in its status; nor does anybody have to look after it.
        end = Status.UNDELIVERED if old.status is Status.SENT else Status.CANCELLED
        return replace(stopped.complete(end, now), dead_at=None)
    return stopped if old.lease or old.due_at is None else stopped.reschedule(now)


def outcome(notification: Notification) -> Outcome:
    """How the wish ended, from the notification as it stands then. Pure."""
    left = _left(notification)
    if left is None and notification.cancelled_at:
        return Outcome(notification.id, cancelled=True)
    if left is None:
        return Outcome(notification.id, cancelled=False, reason=f"it is {notification.status} already")
    channel = notification.steps[left.step].channel
    what = "it" if left.progress in LEFT or left.pieces == 1 else "a part of it"
    rest = "; no further step is taken" if notification.cancelled_at else ""
    return Outcome(notification.id, cancelled=False, reason=f"{channel}: {what} {LEFT[_so_far(left)]}{rest}")


def _left(notification: Notification) -> Attempt | None:
    """The attempt that has left, or may have; the one that came furthest."""
    left = [attempt for attempt in notification.attempts if _so_far(attempt) in LEFT]
    return max(left, key=_so_far, default=None)


def _so_far(attempt: Attempt) -> Progress:
    """Of a text that has not left as a whole, how far the pieces came that have: not those that failed afterwards."""
    if attempt.progress in LEFT:
        return attempt.progress
    pieces = [part.progress for part in attempt.parts if part.progress in LEFT]
    return max(pieces, default=Progress.UNKNOWN if in_doubt(attempt) else attempt.progress)


async def _named(runtime: Runtime, asked: CancelRequest) -> list[str]:
    given = [name for name in ("id", "group_id", "bulk_id") if getattr(asked, name)]
    match given:
        case ["id"]:
            return await _of_id(runtime, asked.id or "")
        case ["group_id"]:
            return await notifications.of_request(runtime.db, "group_id", asked.group_id or "")
        case ["bulk_id"]:
            return await notifications.of_request(runtime.db, "bulk_id", asked.bulk_id or "")
    raise RequestError("invalid", "give exactly one of id, groupId, bulkId")


async def _of_id(runtime: Runtime, key: str) -> list[str]:
    """The message, or those to several destinations under a caller's own id."""
    numbered = [] if ":" in key else [f"{key}:{number}" for number in range(MOST_OF_ONE)]
    found = await notifications.several(runtime.db, [key, *numbered])
    return [one for one in (key, *numbered) if one in found]

"""Cancelling: stops a message that has not been sent for certain; for one that has, reports what was sent."""

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

CALLER = "the caller"

LEFT = {
    Progress.SENDING: "is being sent at this moment",
    Progress.UNKNOWN: "may have been sent",
    Progress.SENT: "was sent",
    Progress.DELIVERED: "was delivered",
    Progress.READ: "was read",
}


@dataclass(frozen=True)
class Outcome:
    """The result of a cancellation. reason: why it came too late, or "" if it did not."""

    id: str
    cancelled: bool
    reason: str = ""


async def cancel(runtime: Runtime, request: CancelRequest, by: str = CALLER) -> list[Outcome]:
    """Cancel one message, a group or a bulk. by: who does it, as its story tells.

    Returns each result. Raises RequestError, LookupError if there is none.
    """
    keys = await _find_ids(runtime, request)
    outcomes = []
    for start in range(0, len(keys), AT_ONCE):
        changed = await asyncio.gather(*(_change(runtime, key, by) for key in keys[start : start + AT_ONCE]))
        outcomes += [outcome(notification) for notification in changed if notification]
    if not outcomes:
        raise LookupError("There is no such message.")
    runtime.outbox_bell.set()
    return outcomes


async def _change(runtime: Runtime, key: str, by: str) -> Notification | None:
    return await recording.change(runtime, key, lambda old: cancel_notification(old, runtime.clock(), by))


def cancel_notification(old: Notification, now: datetime, by: str = CALLER) -> Notification:
    """Return the notification cancelled: complete if nothing was sent, else without any further step. Pure.

    The provider may still report that a sent message has failed: nothing follows from that any more.
    """
    ended = _left(old) is None or old.status in {Status.DELIVERED, Status.READ}
    if old.cancelled_at or (old.due_at is None and ended):
        return old
    stopped = replace(old.saying(now, f"cancelled by {by}"), cancelled_at=now)
    if _left(old) is None:
        # A message that was sent and has failed since keeps its status; nor does anybody have to look after it.
        end = Status.UNDELIVERED if old.status is Status.SENT else Status.CANCELLED
        return replace(stopped.complete(end, now), dead_at=None)
    return stopped if old.lease or old.due_at is None else stopped.reschedule(now)


def outcome(notification: Notification) -> Outcome:
    """Return the result of a cancellation, from the notification as it stands after it. Pure."""
    left = _left(notification)
    if left is None and notification.cancelled_at:
        return Outcome(notification.id, cancelled=True)
    if left is None:
        return Outcome(notification.id, cancelled=False, reason=f"it is {notification.status} already")
    channel = notification.steps[left.step].channel
    subject = "it" if left.progress in LEFT or left.pieces == 1 else "a part of it"
    rest = "; no further step is taken" if notification.cancelled_at else ""
    return Outcome(notification.id, cancelled=False, reason=f"{channel}: {subject} {LEFT[_so_far(left)]}{rest}")


def _left(notification: Notification) -> Attempt | None:
    """Return the attempt that was sent, or may have been; of several, the one that came furthest."""
    left = [attempt for attempt in notification.attempts if _so_far(attempt) in LEFT]
    return max(left, key=_so_far, default=None)


def _so_far(attempt: Attempt) -> Progress:
    """Return how far an attempt came; if not all of it was sent, its best piece, without those that failed."""
    if attempt.progress in LEFT:
        return attempt.progress
    pieces = [part.progress for part in attempt.parts if part.progress in LEFT]
    return max(pieces, default=Progress.UNKNOWN if in_doubt(attempt) else attempt.progress)


async def _find_ids(runtime: Runtime, request: CancelRequest) -> list[str]:
    """Return the ids of the messages that the request names. Raises RequestError."""
    fields = [name for name in ("id", "group_id", "bulk_id") if getattr(request, name)]
    match fields:
        case ["id"]:
            return await _ids_under(runtime, request.id or "")
        case ["group_id"]:
            return await notifications.of_request(runtime.db, "group_id", request.group_id or "")
        case ["bulk_id"]:
            return await notifications.of_request(runtime.db, "bulk_id", request.bulk_id or "")
    raise RequestError("invalid", "give exactly one of id, groupId, bulkId")


async def _ids_under(runtime: Runtime, key: str) -> list[str]:
    """Return the message's id, or those of its several destinations under a caller's own id."""
    numbered = [] if ":" in key else [f"{key}:{number}" for number in range(MOST_OF_ONE)]
    stored = await notifications.several(runtime.db, [key, *numbered])
    return [each for each in (key, *numbered) if each in stored]

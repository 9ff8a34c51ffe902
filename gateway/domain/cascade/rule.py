"""The rule: decides a notification's next move. One pure function, the only place that knows the cascade."""

from collections.abc import Sequence

from msgspec.structs import replace

from gateway.domain.cascade.moves import Abandon, Await, Context, Finish, Move, Recall, Send, Skip, Wait
from gateway.domain.cascade.step import of_step
from gateway.domain.model.attempt import Attempt, in_doubt, succeeded
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Progress

StepSequence = Sequence[int]
"""The indexes of the steps that are tried in turn."""

OUT = {Progress.SENT, Progress.DELIVERED, Progress.READ}


def next_move(notification: Notification, context: Context) -> Move:
    """Return what is to be done now. The steps are examined in order; each required step is a sequence of its own.

    A step under way is never sent again: we wait for it, then leave it behind.
    """
    sequences = {notification.sequence(step) for step in range(len(notification.steps))}
    unreached = [sequence for sequence in sorted(sequences) if not _succeeded(notification, sequence)]
    if recall := _recall(notification, context):
        return recall
    if not unreached or notification.cancelled_at:
        return _finish(notification)
    moves = [move for sequence in unreached if (move := _of_sequence(notification, sequence, context))]
    if context.now >= notification.expires_at:
        return _expire(notification, moves)
    waits = [move for move in moves if isinstance(move, Wait)]
    if len(waits) < len(moves):
        return next(move for move in moves if not isinstance(move, Wait))
    if waits:
        return min(waits, key=lambda wait: wait.until)
    return _await_receipts(notification, unreached, context) or _finish(notification)


def advance(notification: Notification, context: Context) -> tuple[Notification, Send | Recall | None]:
    """Make every move that needs no provider. Returns the notification as it stands then, and the action left, if any.

    With no action left the worker is done with it: the notification waits for `due_at`, or is complete.
    """
    now = context.now
    while True:
        match next_move(notification, context):
            case Send() | Recall() as action:
                return notification, action
            case Skip(step, why, cause):
                skipped = Attempt(step, Progress.SKIPPED, now, reason=why, cause=cause)
                notification = notification.saying(now, why).trying(skipped)
            case Abandon(index, why):
                failed = replace(notification.attempts[index], progress=Progress.FAILED, at=now)
                notification = notification.saying(now, why).with_attempt(index, failed)
            case Wait(until, why, status, fifo):
                return notification.saying(now, why).waiting(until, now, status, fifo), None
            case Await(until, why):
                return notification.saying(now, why).awaiting_receipts(until, now), None
            case Finish(status, why):
                return notification.saying(now, why).complete(status, now), None


def _of_sequence(notification: Notification, sequence: StepSequence, context: Context) -> Move | None:
    """Return the move of the first step that still has one."""
    return next((move for step in sequence if (move := of_step(notification, step, context))), None)


def _succeeded(notification: Notification, sequence: StepSequence) -> Attempt | None:
    """Return the attempt that came as far as its step requires, or None."""
    attempts = [attempt for attempt in notification.attempts if attempt.step in sequence]
    return next((attempt for attempt in attempts if succeeded(attempt, notification.steps[attempt.step])), None)


def _recall(notification: Notification, context: Context) -> Recall | None:
    """Return the recall of a message that another has replaced, if its provider can recall it and the other is out."""
    for index, attempt in enumerate(notification.attempts):
        later = notification.following(attempt.step)
        followers = [other for other in notification.attempts if other.step in later and other.progress in OUT]
        if followers and _can_be_recalled(notification, attempt, context):
            by, name = (notification.steps[each.step].channel for each in (followers[0], attempt))
            return Recall(index, f"{name}: taken back, since {by} has replaced it")
    return None


def _can_be_recalled(notification: Notification, attempt: Attempt, context: Context) -> bool:
    arrived = any(part.provider_id for part in attempt.parts)
    if not arrived or attempt.recalled_at or succeeded(attempt, notification.steps[attempt.step]):
        return False
    return context.now < (attempt.sent_at or attempt.at) + context.reach[attempt.step].facts.recalls


def _await_receipts(notification: Notification, unreached: Sequence[StepSequence], context: Context) -> Await | None:
    """Return the wait for a receipt that may still say that one of these sequences has succeeded, or None.

    What was recalled is not waited for, nor what the provider never reports.
    """
    for attempt in reversed(notification.attempts):
        step = notification.steps[attempt.step]
        awaited = min(step.success, context.reach[attempt.step].facts.receipts)
        is_unreached = any(attempt.step in sequence for sequence in unreached)
        if is_unreached and attempt.progress in OUT and attempt.progress < awaited and not attempt.recalled_at:
            words = f"{step.channel}: {attempt.progress.name.lower()}; there is no further step"
            return Await(notification.expires_at, f"{words}; waiting for {awaited.name.lower()}")
    return None


def _expire(notification: Notification, moves: Sequence[Move]) -> Finish:
    """Return the end of a validity: what is out ends as it is, where only receipts were waited for."""
    is_out = any(attempt.progress in OUT for attempt in notification.attempts)
    return _finish(notification) if is_out and not moves else Finish(Status.EXPIRED, "its validity is over")


def _finish(notification: Notification) -> Finish:
    """Return the end, as far as we know now: the best result among the attempts, and what else is out."""
    out = [attempt for attempt in notification.attempts if attempt.progress in OUT]
    if out:
        status = Status[max(attempt.progress for attempt in out).name]
        successes = [attempt for attempt in out if succeeded(attempt, notification.steps[attempt.step])]
        words = [_describe(notification, attempt) for attempt in successes or out]
        return Finish(status, ", ".join(words) + ("" if successes else "; there is no further step"))
    if any(map(in_doubt, notification.attempts)):
        return Finish(Status.UNDELIVERED, "no step is left; a message may have been sent, and is not repeated")
    if notification.cancelled_at:  # what was out once and has failed since does not go back in its status
        end = Status.UNDELIVERED if notification.status is Status.SENT else Status.CANCELLED
        return Finish(end, "cancelled")
    return Finish(Status.UNDELIVERED, "no step is left")


def _describe(notification: Notification, attempt: Attempt) -> str:
    return f"{notification.steps[attempt.step].channel}: {attempt.progress.name.lower()}"

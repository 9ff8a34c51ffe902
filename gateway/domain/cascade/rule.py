"""The rule: what a notification's next move is. One pure function, the only place that knows the cascade."""

from collections.abc import Sequence

from msgspec.structs import replace

from gateway.domain.cascade.moves import Abandon, Context, Finish, Move, Recall, Send, Skip, Wait
from gateway.domain.cascade.step import of_step
from gateway.domain.model.attempt import Attempt, in_doubt, succeeded
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Progress

Rungs = Sequence[int]
OUT = {Progress.SENT, Progress.DELIVERED, Progress.READ}


def next_move(notification: Notification, context: Context) -> Move:
    """What is to be done now. The rungs are looked at in order, required steps each by themselves.

    A step under way is never sent again: it is waited for, then left behind.
    """
    sequences = {notification.rungs(step) for step in range(len(notification.steps))}
    unreached = [rungs for rungs in sorted(sequences) if not _reached(notification, rungs)]
    if recall := _recall(notification, context):
        return recall
    if not unreached or notification.cancelled_at:
        return _finish(notification)
    if context.now >= notification.expires_at:
        return Finish(Status.EXPIRED, "its validity is over")
    moves = [move for rungs in unreached if (move := _of_rungs(notification, rungs, context))]
    waits = [move for move in moves if isinstance(move, Wait)]
    if len(waits) < len(moves):
        return next(move for move in moves if not isinstance(move, Wait))
    return min(waits, key=lambda wait: wait.until) if waits else _finish(notification)


def advance(notification: Notification, context: Context) -> tuple[Notification, Send | Recall | None]:
    """Make every move that needs nobody else: the notification as it stands then, and what is left to be done, if any.

    With nothing left it is out of its worker's hands: waiting for `due_at`, or settled.
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
                left = replace(notification.attempts[index], progress=Progress.FAILED, at=now)
                notification = notification.saying(now, why).with_attempt(index, left)
            case Wait(until, why, status, fifo):
                return notification.saying(now, why).waiting(until, now, status, fifo), None
            case Finish(status, why):
                return notification.saying(now, why).complete(status, now), None


def _of_rungs(notification: Notification, rungs: Rungs, context: Context) -> Move | None:
    """What the first rung wants that still wants something."""
    return next((move for step in rungs if (move := of_step(notification, step, context))), None)


def _reached(notification: Notification, rungs: Rungs) -> Attempt | None:
    """The attempt that came as far as its step asks."""
    attempts = [attempt for attempt in notification.attempts if attempt.step in rungs]
    return next((attempt for attempt in attempts if succeeded(attempt, notification.steps[attempt.step])), None)


def _recall(notification: Notification, context: Context) -> Recall | None:
    """A message that another has replaced, where its provider can take it back and the other is out."""
    for index, attempt in enumerate(notification.attempts):
        later = notification.following(attempt.step)
        followers = [other for other in notification.attempts if other.step in later and other.progress in OUT]
        if followers and _can_be_recalled(notification, attempt, context):
            by, name = (notification.steps[made.step].channel for made in (followers[0], attempt))
            return Recall(index, f"{name}: taken back, since {by} has replaced it")
    return None


def _can_be_recalled(notification: Notification, attempt: Attempt, context: Context) -> bool:
    arrived = any(part.provider_id for part in attempt.parts)
    if not arrived or attempt.recalled_at or succeeded(attempt, notification.steps[attempt.step]):
        return False
    return context.now < (attempt.sent_at or attempt.at) + context.reach[attempt.step].facts.recalls


def _finish(notification: Notification) -> Finish:
    """The end, as far as we know now: the best of what became of the attempts."""
    out = [attempt for attempt in notification.attempts if attempt.progress in OUT]
    if out:
        best = max(out, key=lambda attempt: attempt.progress)
        step, far = notification.steps[best.step], best.progress.name
        words = far.lower() if succeeded(best, step) else f"{far.lower()}; there is no further step"
        return Finish(Status[far], f"{step.channel}: {words}")
    if any(map(in_doubt, notification.attempts)):
        return Finish(Status.UNDELIVERED, "no step is left; a message may have been sent, and is not repeated")
    if notification.cancelled_at:  # what was out once and has failed since does not go back in its status
        end = Status.UNDELIVERED if notification.status is Status.SENT else Status.CANCELLED
        return Finish(end, "cancelled")
    return Finish(Status.UNDELIVERED, "no step is left")

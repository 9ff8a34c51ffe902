"""The changes of a notification that its caller is told of. Pure.

Each attempt that left is told, each change of the message's status, and once that nothing more is waited for.
"""

from msgspec.structs import replace

from gateway.domain.model.attempt import Attempt, succeeded
from gateway.domain.model.change import Change
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress

LEFT = {Progress.UNKNOWN, Progress.SENT, Progress.DELIVERED, Progress.READ}
"""The progress of an attempt that left, or may have left."""


def with_changes(before: Notification, after: Notification) -> Notification:
    """Return the notification with its changes since `before`, if it has a callback.

    Each attempt is told once of each progress, so their number has a bound however often an attempt is repeated.
    """
    if after.callback is None:
        return after
    finished = after.done_at if not any(change.finished_at for change in before.changes) else None
    news: list[int | None] = [index for index in range(len(after.attempts)) if _is_news(before, after, index)]
    if not news and (finished or after.status is not before.status):
        news = [None]
    if not news:
        return after
    middle = replace(after, status=before.status)
    told = [_change(before, middle, index) for index in news[:-1]] + [_change(before, after, news[-1])]
    told[-1] = replace(told[-1], finished_at=finished)
    first = len(before.changes) + 1
    numbered = tuple(replace(change, sequence=first + place) for place, change in enumerate(told))
    return replace(after, changes=(*before.changes, *numbered), untold=numbered[-1].sequence)


def _is_news(before: Notification, after: Notification, index: int) -> bool:
    """Tell whether this attempt has come to a progress that was not told; a failure is news if it had left."""
    progress = after.attempts[index].progress
    told = {change.progress for change in before.changes if change.attempt == index}
    return progress not in told and (progress in LEFT or (progress is Progress.FAILED and bool(told)))


def _change(before: Notification, after: Notification, index: int | None) -> Change:
    """Return the change of this attempt; without one, that of the message, by the attempt that says how it stands."""
    attempt = _decisive(after) if index is None else after.attempts[index]
    step = after.steps[attempt.step] if attempt else None
    moments = [line.at for line in after.decisions] + [each.at for each in after.attempts]
    return Change(
        0,
        before.status,
        after.status,
        at=max([*moments, after.done_at or after.created_at]),
        channel=step.channel if step else None,
        reason=after.decisions[-1].text if after.decisions else "",
        parts=(1 if attempt.template else step.parts) if step and attempt else 0,
        price=step.costs(template=attempt.template) if step and attempt else None,
        attempt=index,
        progress=attempt.progress if attempt else None,
    )


def _decisive(notification: Notification) -> Attempt | None:
    """Return the attempt that succeeded, else the one that came furthest of those that left, else the last one."""

    def evidence(attempt: Attempt) -> tuple[bool, Progress]:
        out = attempt.progress if attempt.progress in LEFT else Progress.SKIPPED
        return succeeded(attempt, notification.steps[attempt.step]), out

    return max(reversed(notification.attempts), key=evidence, default=None)

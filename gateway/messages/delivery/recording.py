"""Changes of notifications, each told to whoever watches: a line in the log for a line of its story, and counters."""

import logging
from collections.abc import Callable, Iterator, Sequence

from gateway.domain.model.attempt import Attempt
from gateway.domain.model.notification import Decision, Notification, recorded
from gateway.domain.model.nouns import Cause, Progress
from gateway.runtime.telemetry import metrics
from storage.documents.documents import Db
from storage.messages import notification_writes

log = logging.getLogger(__name__)


async def add(db: Db, notifications: Sequence[Notification]) -> None:
    """Store new notifications; see storage.messages.notification_writes.add."""
    await notification_writes.add(db, notifications)


async def save(db: Db, before: Notification, after: Notification) -> Notification | None:
    """Store a notification, and tell of its changes since `before`. Returns None if it has changed meanwhile."""
    stored = await notification_writes.save(db, recorded(before, after))
    if stored:
        _tell(before, stored)
    return stored


async def change(
    db: Db, key: str, step: Callable[[Notification], Notification | None], known: Notification | None = None
) -> Notification | None:
    """Apply `step` to the stored notification, and tell of what it changes; see storage.documents.documents.change."""
    latest: list[Notification] = []

    def watched(old: Notification) -> Notification | None:
        latest[:] = [old]
        new = step(old)
        return recorded(old, new) if new else None

    stored = await notification_writes.change(db, key, watched, known)
    if stored and latest:
        _tell(latest[0], stored)
    return stored


def _tell(before: Notification, after: Notification) -> None:
    moved = list(_moved(before, after))
    beside = {"message_id": after.id, **(_where(moved[-1]) if moved else {})}
    for decision in _said(before, after):
        log.info("%s", decision.text, extra=beside)
    for attempt in moved:
        channel = after.steps[attempt.step].channel
        metrics.ATTEMPTS.labels(channel, attempt.progress.name.lower(), attempt.cause or "").inc()
        if instead := _instead(after, attempt):
            metrics.WINDOW_CLOSED.labels(channel, instead).inc()
    if after.status is not before.status:
        metrics.STATUS.labels(after.status).inc()
    if after.dead_at and not before.dead_at:
        metrics.DEAD_LETTERS.labels("messages").inc()


def _where(attempt: Attempt) -> dict[str, object]:
    """Through which account it goes, and under which ids its provider knows it."""
    if attempt.address is None:
        return {}
    ids = [part.provider_id for part in attempt.parts if part.provider_id]
    account = f"{attempt.address.channel}:{attempt.address.account}"
    return {"account": account, "provider_ids": ids} if ids else {"account": account}


def _said(before: Notification, after: Notification) -> Iterator[Decision]:
    """The lines that are new: the old ones go, when there are too many, from the beginning."""
    known = before.decisions[-1] if before.decisions else None
    lines = after.decisions
    return iter(lines[lines.index(known) + 1 :] if known in lines else lines)


def _moved(before: Notification, after: Notification) -> Iterator[Attempt]:
    for index, attempt in enumerate(after.attempts):
        if index >= len(before.attempts) or before.attempts[index].progress is not attempt.progress:
            yield attempt


def _instead(notification: Notification, attempt: Attempt) -> str:
    """What was done for a closed window when this attempt began; nothing if that was not the reason."""
    if attempt.progress is Progress.SKIPPED:
        return "next step" if attempt.cause is Cause.WINDOW_CLOSED else ""
    if attempt.progress is not Progress.SENDING:
        return ""
    if attempt.template:
        return "template" if notification.steps[attempt.step].content else ""
    return "intent" if attempt.intent else ""

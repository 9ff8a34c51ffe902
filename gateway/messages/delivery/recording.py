"""Stores changes of notifications, and records them: a log line for each new decision, and metrics."""

import logging
from collections.abc import Callable, Iterator, Sequence

from gateway.domain.model.attempt import Attempt
from gateway.domain.model.notification import Decision, Notification, Status
from gateway.domain.model.nouns import Cause, Progress
from gateway.messages.delivery.changes import with_changes
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from storage.accounts.flows import ENDED, TRIED, Flows
from storage.documents.documents import Db
from storage.messages import notification_writes

log = logging.getLogger(__name__)


async def add(db: Db, notifications: Sequence[Notification]) -> None:
    """Store new notifications; see storage.messages.notification_writes.add."""
    await notification_writes.add(db, notifications)


async def save(runtime: Runtime, before: Notification, after: Notification) -> Notification | None:
    """Store a notification, and record its changes since `before`. Returns None if the stored one has changed."""
    stored = await notification_writes.save(runtime.db, with_changes(before, after))
    if stored:
        _record(runtime.flows, before, stored)
    return stored


async def change(
    runtime: Runtime, key: str, step: Callable[[Notification], Notification | None], cached: Notification | None = None
) -> Notification | None:
    """Apply `step` to the stored notification, and record the changes; see storage.documents.documents.change."""
    latest: list[Notification] = []

    def record_step(old: Notification) -> Notification | None:
        latest[:] = [old]
        new = step(old)
        return with_changes(old, new) if new else None

    stored = await notification_writes.change(runtime.db, key, record_step, cached)
    if stored and latest:
        _record(runtime.flows, latest[0], stored)
    return stored


def _record(flows: Flows, before: Notification, after: Notification) -> None:
    attempts = list(_changed_attempts(before, after))
    fields = {"message_id": after.id, **(_account_fields(attempts[-1]) if attempts else {})}
    for decision in _new_decisions(before, after):
        log.info("%s", decision.text, extra=fields)
    for attempt in attempts:
        channel = after.steps[attempt.step].channel
        metrics.ATTEMPTS.labels(channel, attempt.progress.name.lower(), attempt.cause or "").inc()
        if attempt.progress is Progress.SENDING:
            flows.count(channel, TRIED)
        if substitute := _window_substitute(after, attempt):
            metrics.WINDOW_CLOSED.labels(channel, substitute).inc()
    if after.status is not before.status:
        metrics.STATUS.labels(after.status).inc()
        flows.count(_channel(after), after.status)
    if after.done_at and not before.done_at and after.status in ARRIVED:
        flows.count(_channel(after), ENDED)
    if after.dead_at and not before.dead_at:
        metrics.DEAD_LETTERS.labels("messages").inc()


ARRIVED = frozenset({Status.SENT, Status.DELIVERED, Status.READ})


def _channel(notification: Notification) -> str:
    """Return the channel by which a message came furthest; "" where none was tried."""
    tried = [attempt for attempt in notification.attempts if attempt.progress is not Progress.SKIPPED]
    furthest = max(tried, key=lambda attempt: attempt.progress, default=None)
    return notification.steps[furthest.step].channel if furthest else ""


def _account_fields(attempt: Attempt) -> dict[str, object]:
    """Return the log fields of an attempt: its account, and its provider's ids."""
    if attempt.address is None:
        return {}
    ids = [part.provider_id for part in attempt.parts if part.provider_id]
    account = f"{attempt.address.channel}:{attempt.address.account}"
    return {"account": account, "provider_ids": ids} if ids else {"account": account}


def _new_decisions(before: Notification, after: Notification) -> Iterator[Decision]:
    """Return the new decisions; of too many, the oldest have been dropped from the beginning."""
    last = before.decisions[-1] if before.decisions else None
    lines = after.decisions
    return iter(lines[lines.index(last) + 1 :] if last in lines else lines)


def _changed_attempts(before: Notification, after: Notification) -> Iterator[Attempt]:
    for index, attempt in enumerate(after.attempts):
        if index >= len(before.attempts) or before.attempts[index].progress is not attempt.progress:
            yield attempt


def _window_substitute(notification: Notification, attempt: Attempt) -> str:
    """Return what replaced free text in a closed window when this attempt began; "" if that was not the reason."""
    if attempt.progress is Progress.SKIPPED:
        return "next step" if attempt.cause is Cause.WINDOW_CLOSED else ""
    if attempt.progress is not Progress.SENDING:
        return ""
    if attempt.template:
        return "template" if notification.steps[attempt.step].content else ""
    return "intent" if attempt.intent else ""

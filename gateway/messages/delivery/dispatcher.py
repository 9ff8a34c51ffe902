"""Outbound: makes the moves that the rule decides for a notification, until there is nothing to do for now."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.domain.cascade import rule
from gateway.domain.cascade.moves import Recall, Send
from gateway.domain.model.notification import Notification, Status, mark_unknown
from gateway.domain.model.nouns import Progress
from gateway.messages.delivery import recording
from gateway.messages.delivery.reachability import look
from gateway.messages.delivery.recall import recall
from gateway.messages.delivery.sending import send
from gateway.runtime.runtime import Runtime
from storage.engine.database import insist
from storage.messages import notifications

LATER = (timedelta(minutes=1), timedelta(minutes=10))
"""The pauses before a notification is retried after an error of our own; then it is given up."""


async def work(runtime: Runtime, claimed: Notification) -> None:
    """Advance a notification as far as possible now. It is ours while it carries the lease it was claimed with."""
    current: Notification | None = mark_unknown(claimed)
    while current is not None and current.lease == claimed.lease:
        try:
            context = await look(runtime, current)
        except LookupError as error:
            now = runtime.clock()
            failed = current.saying(now, str(error)).complete(Status.ERROR, now)
            await recording.save(runtime, current, failed)
            return
        decided, action = rule.advance(current, context)
        if isinstance(action, Send):
            current = await send(runtime, current, decided, action, context)
        elif isinstance(action, Recall):
            current = await recall(runtime, decided, action, context)
        elif await recording.save(runtime, current, decided):
            return
        else:  # a receipt came in between: read it again
            current = await notifications.get(runtime.db, claimed.id)


async def give_back(runtime: Runtime, claimed: Notification, at: datetime | None = None) -> None:
    """Release our claim, unless it was being sent: it is due again at `at`, or at once."""

    def step(old: Notification) -> Notification | None:
        sending = any(attempt.progress is Progress.SENDING for attempt in old.attempts)
        if sending or old.lease != claimed.lease:
            return None
        return replace(old.reschedule(at or runtime.clock()), lease=None)

    await insist(recording.change, runtime, claimed.id, step)


async def postpone_broken(runtime: Runtime, key: str, error: Exception) -> None:
    """Postpone a notification after an error of our own; after the last retry, end it as ERROR."""
    now, words = runtime.clock(), f"a mistake of ours: {type(error).__name__}"

    def step(old: Notification) -> Notification | None:
        if old.due_at is None:
            return None
        new = replace(old.saying(now, words), mistakes=old.mistakes + 1)
        if new.mistakes > len(LATER):
            return new.complete(Status.ERROR, now)
        return new.waiting(now + LATER[old.mistakes], now, Status.NEW, "")

    await recording.change(runtime, key, step)

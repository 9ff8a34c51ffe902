"""Applies the outcome of a send, and the provider's receipts, to a notification: evidence only grows. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from gateway.domain.cascade.moves import Context, Send
from gateway.domain.cascade.rule import advance
from gateway.domain.channel.errors import SendError, Unavailable
from gateway.domain.model.attempt import Attempt, Part, after_error, succeeded, with_part
from gateway.domain.model.event import Receipt
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Address, Progress


@dataclass
class Outcome:
    """The outcome of sending an attempt's pieces. taken: part and provider's id of each piece that the provider took.

    early: receipts that were faster than our log. spread: the factor by which the pause before the next try is longer.
    """

    taken: list[tuple[int, str]] = field(default_factory=list)
    early: list[Receipt] = field(default_factory=list)
    error: SendError | None = None
    spread: float = 1

    def apply(self, attempt: Attempt, now: datetime) -> Attempt:
        """Return the attempt with this outcome. Receipts may have been faster; they stay."""
        for part, provider_id in self.taken:
            attempt = with_part(attempt, Part(provider_id), part, now)
        if self.error is None:
            return attempt
        pause = self.error.retry_after if isinstance(self.error, Unavailable) else None
        return after_error(attempt, self.error.cause, str(self.error), now, pause, self.spread)


def begin(
    notification: Notification, send: Send, address: Address, pieces: int, now: datetime
) -> tuple[int, Notification]:
    """Return the attempt's index, and the notification with that attempt as SENDING."""
    if send.again is None:
        attempt = Attempt(
            send.step,
            Progress.SENDING,
            now,
            address=address,
            template=send.template,
            intent=send.intent,
            sent_at=now,
            pieces=pieces,
            parts=() if send.rest_of is None else notification.attempts[send.rest_of].parts,
        )
        return len(notification.attempts), replace(notification.trying(attempt), fifo_since=None)
    old = notification.attempts[send.again]
    again = replace(old, progress=Progress.SENDING, at=now, sent_at=now, address=address)
    return send.again, notification.with_attempt(send.again, again)


def after_send(old: Notification, index: int, outcome: Outcome, lease: str | None, context: Context) -> Notification:
    """Return the notification with the outcome, advanced by the rule if we still hold the `lease`."""
    new = old.with_attempt(index, outcome.apply(old.attempts[index], context.now))
    if outcome.error:
        new = new.saying(context.now, f"{old.steps[old.attempts[index].step].channel}: {outcome.error}")
    return advance(new, context)[0] if old.lease == lease else new


def after_receipt(old: Notification, index: int, part: int, receipt: Receipt, now: datetime) -> Notification | None:
    """Return the notification after a receipt for a part of attempt `index`; None if the receipt is nothing new.

    A receipt of another account's is none for it, though it may name our key: each account tells of its own messages.
    """
    if index >= len(old.attempts) or not _is_of_account(receipt, old.attempts[index].address):
        return None
    before = old.attempts[index]
    after = with_part(before, Part(receipt.provider_id, receipt.progress), part, now)
    if after == before:
        return None
    if after.progress is before.progress:
        return old.with_attempt(index, after)
    if after.progress is Progress.FAILED:
        after = replace(after, reason=receipt.reason, cause=receipt.cause)
    return _progress(old, index, replace(after, late=after.late or _too_late(old, index, after)), now)


def _is_of_account(receipt: Receipt, address: Address | None) -> bool:
    return address is not None and (address.channel, address.account) == (receipt.channel, receipt.account)


def _progress(old: Notification, index: int, after: Attempt, now: datetime) -> Notification:
    """Return the notification with an attempt that has progressed; due now, if the rule has to decide on that."""
    step = old.steps[after.step]
    late = "; late, another step had taken over by then" if after.late else ""
    words = f"{step.channel}: {after.progress.name.lower()} {after.reason}".strip() + late
    new = old.saying(now, words).with_attempt(index, after)
    if new.lease:  # its worker notices that it has changed
        return new
    if after.progress is Progress.FAILED:
        return new.reschedule(now)
    return _finish(new, after, now) if succeeded(after, step) else new


def _finish(notification: Notification, attempt: Attempt, now: datetime) -> Notification:
    """Complete a notification whose step has succeeded; if more was tried or is required, leave it to the rule."""
    others: Sequence[Attempt] = [other for other in notification.attempts if other is not attempt]
    if all(other.progress is Progress.SKIPPED for other in others) and not any(s.required for s in notification.steps):
        return notification.complete(Status[attempt.progress.name], now)
    return notification.reschedule(now) if notification.due_at else notification


def _too_late(notification: Notification, index: int, after: Attempt) -> bool:
    """Did it arrive after a later step of the same sequence had been sent?"""
    later = notification.following(after.step)
    others = (other for other in notification.attempts[index + 1 :] if other.step in later)
    return after.progress >= Progress.DELIVERED and any(other.progress not in _NOT_SENT for other in others)


_NOT_SENT = {Progress.SKIPPED, Progress.RETRYING, Progress.FAILED}

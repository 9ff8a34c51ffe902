"""The provider's word on a message of ours: it moves an attempt forward, and may call for the next step."""

from datetime import datetime

from msgspec.structs import replace

from gateway.domain.model.attempt import Attempt, Part, succeeded, with_part
from gateway.domain.model.event import Receipt
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Address, Cause, Message, Progress, template_key
from gateway.messages.delivery import recording
from gateway.people.sessions import corrected
from gateway.runtime.runtime import Runtime
from storage.messages import chat_log


def key_of(notification: Notification, attempt: int, part: int) -> str:
    """Our own name of one piece, for providers that echo it."""
    return f"{notification.id}/{attempt}/{part}"


def line_of(
    notification: Notification, attempt: int, part: int, address: Address, provider_id: str, at: datetime
) -> Message:
    """The chat log's line for a piece that a provider has taken; the first piece shows what was said."""
    made = notification.attempts[attempt]
    step = notification.steps[made.step]
    return Message(
        address.line(provider_id),
        session=address.key,
        outbound=True,
        at=at,
        content=None if made.template or part else step.content,
        template=step.template if made.template else None,
        notification=notification.id,
        attempt=attempt,
        part=part,
    )


async def received(runtime: Runtime, receipt: Receipt) -> None:
    """Join a receipt to its attempt, by the message's id or by our own key; one for nothing of ours is kept only."""
    line = await chat_log.of_receipt(runtime.db, receipt)
    where = _by_line(line) if line else _by_key(receipt.key)
    if where is None:
        return
    key, attempt, part = where
    now = runtime.clock()
    changed = await recording.change(runtime.db, key, lambda old: _told(old, attempt, part, receipt, now))
    if changed is None or attempt >= len(changed.attempts):
        return
    address = changed.attempts[attempt].address
    if address and line is None:
        await chat_log.log(runtime.db, line_of(changed, attempt, part, address, receipt.provider_id, receipt.at))
    if address and receipt.cause:
        await _learn(runtime, changed, attempt, address, receipt.cause, receipt)
    if changed.due_at and changed.due_at <= now:
        runtime.outbox_bell.set()


def _by_line(line: Message) -> tuple[str, int, int] | None:
    return (line.notification, line.attempt, line.part) if line.notification else None


def _by_key(key: str) -> tuple[str, int, int] | None:
    parts = key.rsplit("/", 2)
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):  # noqa: PLR2004 - as key_of writes it
        return None
    return parts[0], int(parts[1]), int(parts[2])


def _told(old: Notification, index: int, part: int, receipt: Receipt, now: datetime) -> Notification | None:
    """The notification after the receipt. None where it says nothing new."""
    if index >= len(old.attempts):
        return None
    before = old.attempts[index]
    after = with_part(before, Part(receipt.provider_id, receipt.progress), part, now)
    if after == before:
        return None
    if after.progress is before.progress:
        return old.with_attempt(index, after)
    if after.progress is Progress.FAILED:
        after = replace(after, reason=receipt.reason, cause=receipt.cause)
    return _moved(old, index, replace(after, late=after.late or _too_late(old, index, after)), now)


def _moved(old: Notification, index: int, after: Attempt, now: datetime) -> Notification:
    """The notification with an attempt that has come further; due, if something follows from that."""
    step = old.steps[after.step]
    late = "; late, another step had taken over by then" if after.late else ""
    words = f"{step.channel}: {after.progress.name.lower()} {after.reason}".strip() + late
    new = old.saying(now, words).with_attempt(index, after)
    if new.lease:  # its worker notices that it has changed
        return new
    if after.progress is Progress.FAILED:
        return new.reschedule(now)
    return _done(new, after, now) if succeeded(after, step) else new


def _done(notification: Notification, attempt: Attempt, now: datetime) -> Notification:
    """A step has succeeded. Mostly that is the end; where more was tried or is required, the rule has to say."""
    others = [other for other in notification.attempts if other is not attempt]
    if all(other.progress is Progress.SKIPPED for other in others) and not any(s.required for s in notification.steps):
        return notification.complete(Status[attempt.progress.name], now)
    return notification.reschedule(now) if notification.due_at else notification


def _too_late(notification: Notification, index: int, after: Attempt) -> bool:
    """Has it arrived when a later step of the same cascade was out already?"""
    later = notification.following(after.step)
    others = (other for other in notification.attempts[index + 1 :] if other.step in later)
    return after.progress >= Progress.DELIVERED and any(other.progress not in _NOTHING for other in others)


_NOTHING = {Progress.SKIPPED, Progress.RETRYING, Progress.FAILED}


async def _learn(
    runtime: Runtime, notification: Notification, attempt: int, address: Address, cause: Cause, receipt: Receipt
) -> None:
    template = notification.steps[notification.attempts[attempt].step].template
    name = template_key(address.channel, address.account, template) if template else ""
    await corrected(runtime, address, cause, name, receipt.reason, receipt.at)

"""Receipts: a provider's report on a message of ours moves its attempt forward, and may call for the next step."""

from datetime import datetime

from gateway.domain.cascade.evidence import after_receipt
from gateway.domain.model.event import Receipt
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Address, Cause, Message, template_key
from gateway.domain.model.piece import chat_line, read_piece_key
from gateway.messages.delivery import recording
from gateway.people.sessions import correct
from gateway.runtime.runtime import Runtime
from storage.messages import chat_log


async def receive(runtime: Runtime, receipt: Receipt, now: datetime) -> None:
    """Apply a receipt to its attempt, found by the message's id or our own key; ignore one for no message of ours."""
    line = await chat_log.of_receipt(runtime.db, receipt)
    place = _place_of(line) if line else read_piece_key(receipt.key)
    if place is None:
        return
    key, attempt, part = place
    changed = await recording.change(runtime, key, lambda old: after_receipt(old, attempt, part, receipt, now))
    if changed is None or attempt >= len(changed.attempts):
        return
    address, sent_at = changed.attempts[attempt].address, changed.attempts[attempt].sent_at or receipt.at
    if address and line is None:  # our own clock tells more than the whole seconds of most receipts
        await chat_log.log(runtime.db, chat_line(changed, attempt, part, address, receipt.provider_id, sent_at))
    if address and receipt.cause:
        await _learn(runtime, changed, attempt, address, receipt.cause, receipt)
    if changed.due_at and changed.due_at <= now:
        runtime.outbox_bell.set()


def _place_of(line: Message) -> tuple[str, int, int] | None:
    return (line.notification, line.attempt, line.part) if line.notification else None


async def _learn(
    runtime: Runtime, notification: Notification, attempt: int, address: Address, cause: Cause, receipt: Receipt
) -> None:
    template = notification.steps[notification.attempts[attempt].step].template
    name = template_key(address.channel, address.account, template) if template else ""
    await correct(runtime, address, cause, name, receipt.reason, receipt.at)

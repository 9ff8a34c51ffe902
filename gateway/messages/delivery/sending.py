"""Sends one step: waits for its turn, sends its pieces at their moments, and stores the outcome.

Never twice: an attempt is stored as SENDING before the provider is called. If the process dies in between, it stays
SENDING, and the rule treats it as "may have been sent".
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from msgspec import structs

from bots.wire.traces import Trace, tracing
from gateway.domain.cascade.evidence import Outcome, after_send, begin
from gateway.domain.cascade.moves import Context, Send
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.errors import Ambiguous, Refused, SendError
from gateway.domain.channel.replies import Replies, with_stand_ins
from gateway.domain.model.attempt import Step
from gateway.domain.model.notification import Notification, lane_of
from gateway.domain.model.nouns import Address, Content, TemplateMessage
from gateway.domain.model.piece import chat_line, piece_key
from gateway.messages.delivery import recording
from gateway.messages.delivery.changes import with_changes
from gateway.messages.delivery.ordering import admit, put_off
from gateway.messages.delivery.receipts import receive
from gateway.people.sessions import correct
from gateway.runtime.limits.admission import Entry, NotYet
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from gateway.runtime.telemetry.spans import span
from storage.engine.database import insist
from storage.messages import chat_log, notifications, replies

log = logging.getLogger(__name__)

Piece = Content | TemplateMessage
Pieces = Sequence[tuple[Piece, datetime]]
"""The pieces to send, each with the moment at which it may leave."""

PAUSE = timedelta(seconds=2)
"""After a longer pause than this between two pieces, the notification is read again: much may have happened."""


@dataclass(frozen=True)
class Delivery:
    """A send with all that it needs.

    stored: the notification as it is on disk; template: its key, or "". replies: by what stands for them on buttons.
    """

    stored: Notification
    send: Send
    context: Context
    channel: Channel
    address: Address
    account: str
    template: str
    replies: Replies


async def send(
    runtime: Runtime, stored: Notification, notification: Notification, move: Send, context: Context
) -> Notification | None:
    """Make one attempt, when it is its turn. Returns the notification as stored then; `stored` is as it was before."""
    reach, content = context.reach[move.step], _content(notification.steps[move.step], move)
    if reach.channel is None or reach.address is None or content is None:
        raise TypeError(move)
    content, stood_for = with_stand_ins(content, reach.facts)
    template = reach.template if move.template else ""
    delivery = Delivery(stored, move, context, reach.channel, reach.address, reach.account, reach.template, stood_for)
    pieces: Sequence[Piece] = reach.channel.split(content) if isinstance(content, Content) else [content]
    group = reach.facts.is_group(reach.address.user)
    entry = Entry(reach.account, reach.address.key, notification.priority, len(pieces), group, template)
    moments = await admit(runtime, notification, entry)
    if isinstance(moments, NotYet):
        waiting = put_off(runtime, notification, reach.account, moments)
        saved = await recording.save(runtime, stored, waiting)
        return None if saved else await notifications.get(runtime.db, waiting.id)
    with runtime.gate.entered(reach.account):
        now = await _sleep_until(runtime, moments[0])
        if runtime.gate.holds.begun_since(reach.account, context.now, now):
            return notification  # the rule has to decide again
        return await _attempt(runtime, delivery, notification, list(zip(pieces, moments, strict=True)), now)


async def _attempt(
    runtime: Runtime, delivery: Delivery, notification: Notification, pieces: Pieces, began: datetime
) -> Notification | None:
    lease = runtime.settings.lease * len(pieces)
    notification = notification.saying(began, delivery.send.why)
    index, sending = begin(notification, delivery.send, delivery.address, len(pieces), began)
    sending = structs.replace(sending, lane=lane_of(sending.priority), fifo=delivery.account)
    saved, other = await _store(runtime, delivery.stored, sending, lease)
    if saved is None:
        return other
    await insist(replies.keep, runtime.db, delivery.replies, began)
    outcome = await _send_pieces(runtime, delivery, saved, index, pieces)
    context = replace(delivery.context, now=runtime.clock())
    await _learn(runtime, delivery, outcome.error, began, context.now)
    after = await insist(
        recording.change,
        runtime,
        saved.id,
        lambda old: after_send(old, index, outcome, saved.lease, context),
        saved,
    )
    for receipt in outcome.early:
        await receive(runtime, receipt, context.now)
    return after


async def _store(
    runtime: Runtime, before: Notification, sending: Notification, lease: timedelta
) -> tuple[Notification | None, Notification | None]:
    """Store that we are sending, for the length of `lease`.

    Returns the stored notification, or None and what another process has stored. It is stored anew where that took
    longer than the lease: by then another process may think that we have died while we were sending.
    """
    while True:
        until = runtime.clock() + lease
        sending = structs.replace(sending, due_at=until)
        saved, other = await _store_once(runtime, before, sending)
        if saved is None or runtime.clock() < until:
            return saved, other
        before = sending = saved


async def _store_once(
    runtime: Runtime, before: Notification, sending: Notification
) -> tuple[Notification | None, Notification | None]:
    """Store it. Our own write may have arrived despite an error: nothing was sent yet, so there is no doubt."""
    if saved := await insist(recording.save, runtime, before, sending):
        return saved, None
    current = await insist(notifications.get, runtime.db, sending.id)
    written = with_changes(before, structs.replace(sending, version=sending.version + 1))
    is_ours = current and structs.replace(current, due_at=sending.due_at) == written  # the lease may be renewed since
    return (current, None) if is_ours else (None, current)


async def _sleep_until(runtime: Runtime, moment: datetime) -> datetime:
    """Sleep until the moment. Returns the time then."""
    now = runtime.clock()
    await asyncio.sleep(max(0, (moment - now).total_seconds()))
    return max(now, moment)


def _content(step: Step, move: Send) -> Piece | None:
    if move.template or step.content is None:
        return step.template
    return structs.replace(step.content, intent=move.intent)


async def _send_pieces(
    runtime: Runtime, delivery: Delivery, notification: Notification, index: int, pieces: Pieces
) -> Outcome:
    """Send the remaining pieces in order, each at its moment, up to the first one that the provider does not accept."""
    outcome, channel = Outcome(spread=random.uniform(1, 1.5)), delivery.channel  # noqa: S311
    first = len(notification.attempts[index].parts)
    for part, (piece, moment) in list(enumerate(pieces))[first:]:
        if part > first and (reason := await _reason_to_stop(runtime, notification, moment)):
            outcome.error = Refused(f"{reason}; the rest was not sent")
            break
        if part:  # the first one's moment has come
            await _sleep_until(runtime, moment)
        trace: Trace = []
        try:
            with (
                metrics.SEND.labels(channel.facts.name).time(),
                span("send", channel=channel.facts.name),
                tracing(trace),
            ):
                provider_id = await channel.send(delivery.address, piece, key=piece_key(notification.id, index, part))
        except SendError as error:
            outcome.error = error
            break
        except Exception as error:
            log.exception("%s broke over a message", delivery.account)
            outcome.error = Ambiguous(f"a mistake of ours ({type(error).__name__}); it may have been sent")
            break
        finally:
            runtime.tracer.keep(delivery.account, notification.id, index, trace)
        outcome.taken.append((part, provider_id))
        line = chat_line(notification, index, part, delivery.address, provider_id, runtime.clock())
        outcome.early += await insist(chat_log.log, runtime.db, line)
    return outcome


async def _reason_to_stop(runtime: Runtime, sending: Notification, moment: datetime) -> str:
    """Return why a piece that has to wait for its moment is not to be sent any more, or ""."""
    if moment <= runtime.clock() + PAUSE:
        return ""
    await _sleep_until(runtime, moment)
    current = await notifications.get(runtime.db, sending.id)
    if current is None or current.lease != sending.lease:
        return "another process has taken over"
    if current.cancelled_at:
        return "it was cancelled"
    return "its validity is over" if runtime.clock() >= current.expires_at else ""


async def _learn(runtime: Runtime, delivery: Delivery, error: SendError | None, began: datetime, now: datetime) -> None:
    """Record what the outcome says about our account, the session and the template, as of when we began to send."""
    runtime.counts.count_send(delivery.account, failed=error is not None)
    await insist(runtime.gate.holds.record, delivery.account, error, began, now)
    if error:
        await insist(correct, runtime, delivery.address, error.cause, delivery.template, str(error), began)

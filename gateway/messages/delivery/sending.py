"""One send of a step: its turn, its moments, its pieces, and what comes of it.

Never twice: an attempt is stored as SENDING before the provider is called. A process that dies in between leaves it
so, and the rule treats it as "may have been sent".
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
from gateway.domain.model.attempt import Step
from gateway.domain.model.notification import Notification, lane_of
from gateway.domain.model.nouns import Address, Content, TemplateMessage
from gateway.domain.model.piece import chat_line, piece_key
from gateway.messages.delivery import recording
from gateway.messages.delivery.ordering import admit, put_off
from gateway.messages.delivery.receipts import receive
from gateway.people.sessions import correct
from gateway.runtime.limits.admission import Entry, NotYet
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from gateway.runtime.telemetry.spans import span
from storage.engine.database import insist
from storage.messages import chat_log, notifications

log = logging.getLogger(__name__)

Piece = Content | TemplateMessage
Pieces = Sequence[tuple[Piece, datetime]]
"""What is sent, each with the moment at which it may leave."""

PAUSE = timedelta(seconds=2)
"""Between two pieces of a text much may happen; after a longer pause than this it is looked at again."""


@dataclass(frozen=True)
class Delivery:
    """A send with all that it needs. stored: the notification as it is on disk; template: its key, or ""."""

    stored: Notification
    send: Send
    context: Context
    channel: Channel
    address: Address
    account: str
    template: str


async def send(
    runtime: Runtime, stored: Notification, notification: Notification, move: Send, context: Context
) -> Notification | None:
    """Make one attempt, when it is its turn. Returns the notification as it is stored then, and was `stored` before."""
    reach, what = context.reach[move.step], _content(notification.steps[move.step], move)
    if reach.channel is None or reach.address is None or what is None:
        raise TypeError(move)
    template = reach.template if move.template else ""
    delivery = Delivery(stored, move, context, reach.channel, reach.address, reach.account, reach.template)
    pieces: Sequence[Piece] = reach.channel.split(what) if isinstance(what, Content) else [what]
    group = reach.facts.is_group(reach.address.user)
    entry = Entry(reach.account, reach.address.key, notification.priority, len(pieces), group, template)
    moments = await admit(runtime, notification, entry)
    if isinstance(moments, NotYet):
        put = put_off(runtime, notification, reach.account, moments)
        saved = await recording.save(runtime.db, stored, put)
        return None if saved else await notifications.get(runtime.db, put.id)
    runtime.gate.enter(reach.account)
    try:
        await _sleep_until(runtime, moments[0])
        if runtime.gate.holds.begun_since(reach.account, context.now, runtime.clock()):
            return notification  # the rule has to look again
        return await _attempt(runtime, delivery, notification, list(zip(pieces, moments, strict=True)))
    finally:
        runtime.gate.leave(reach.account)


async def _attempt(
    runtime: Runtime, delivery: Delivery, notification: Notification, pieces: Pieces
) -> Notification | None:
    began, lease = runtime.clock(), runtime.settings.lease * len(pieces)
    notification = notification.saying(began, delivery.send.why)
    index, begun = begin(notification, delivery.send, delivery.address, len(pieces), began)
    begun = structs.replace(begun, due_at=began + lease, lane=lane_of(begun.priority), fifo=delivery.account)
    ours, theirs = await _store(runtime, delivery.stored, begun)
    if ours is None:
        return theirs
    outcome = await _send_pieces(runtime, delivery, ours, index, pieces)
    await _learn(runtime, delivery, outcome.error, began)
    context = replace(delivery.context, now=runtime.clock())
    after = await insist(
        recording.change,
        runtime.db,
        ours.id,
        lambda old: after_send(old, index, outcome, ours.lease, context),
        ours,
    )
    for receipt in outcome.early:
        await receive(runtime, receipt)
    return after


async def _store(
    runtime: Runtime, before: Notification, begun: Notification
) -> tuple[Notification | None, Notification | None]:
    """Return the notification once it is on disk that we are sending; or None, and what somebody else has made of it.

    Our own write may have arrived although we heard of an error: nothing was sent yet, so there is no doubt to declare.
    """
    if saved := await insist(recording.save, runtime.db, before, begun):
        return saved, None
    found = await insist(notifications.get, runtime.db, begun.id)
    return (found, None) if found == structs.replace(begun, version=begun.version + 1) else (None, found)


async def _sleep_until(runtime: Runtime, moment: datetime) -> None:
    await asyncio.sleep(max(0, (moment - runtime.clock()).total_seconds()))


def _content(step: Step, move: Send) -> Piece | None:
    if move.template or step.content is None:
        return step.template
    return structs.replace(step.content, intent=move.intent)


async def _send_pieces(
    runtime: Runtime, delivery: Delivery, notification: Notification, index: int, pieces: Pieces
) -> Outcome:
    """Send, in order and each at its moment, the pieces that the provider has not taken yet, up to the first that it
    does not take.
    """
    outcome, channel = Outcome(spread=random.uniform(1, 1.5)), delivery.channel  # noqa: S311
    first = len(notification.attempts[index].parts)
    for part, (piece, moment) in list(enumerate(pieces))[first:]:
        if part > first and (reason := await _reason_to_stop(runtime, notification, moment)):
            outcome.error = Refused(f"{reason}; the rest was not sent")
            break
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
    now = await notifications.get(runtime.db, sending.id)
    if now is None or now.lease != sending.lease:
        return "another process has taken over"
    if now.cancelled_at:
        return "it was cancelled"
    return "its validity is over" if runtime.clock() >= now.expires_at else ""


async def _learn(runtime: Runtime, delivery: Delivery, error: SendError | None, began: datetime) -> None:
    """Tell what it teaches us about our account, the session and the template, as of when we began to send."""
    runtime.counts.count_send(delivery.account, failed=error is not None)
    await insist(runtime.gate.holds.record, delivery.account, error, began, runtime.clock())
    if error:
        await insist(correct, runtime, delivery.address, error.cause, delivery.template, str(error), began)

"""Outbound: asks the rule for a notification's next move and makes it, until there is nothing to do for now.

Never twice: an attempt is stored as SENDING before the provider is called. A process that dies in between leaves it
so, and the rule treats it as "may have been sent".
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from msgspec import structs

from bots.wire.traces import Trace, tracing
from gateway.domain.cascade import rule
from gateway.domain.cascade.moves import Context, Recall, Send
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.errors import Ambiguous, Refused, SendError, Unavailable
from gateway.domain.model.attempt import Attempt, Part, Step, after_error, with_part
from gateway.domain.model.event import Receipt
from gateway.domain.model.notification import Notification, Status, lane_of, mark_unknown
from gateway.domain.model.nouns import Address, Content, Progress, TemplateMessage
from gateway.messages.delivery import recording
from gateway.messages.delivery.ordering import admitted, put_off
from gateway.messages.delivery.reachability import channel_of, look, template_of
from gateway.messages.delivery.recall import recalled
from gateway.messages.delivery.receipts import key_of, line_of, received
from gateway.people.sessions import corrected
from gateway.runtime.limits.admission import NotYet
from gateway.runtime.runtime import Runtime, account_key
from gateway.runtime.telemetry import metrics
from gateway.runtime.telemetry.spans import span
from storage.engine.database import insist
from storage.messages import chat_log, notifications

log = logging.getLogger(__name__)

Piece = Content | TemplateMessage

PAUSE = timedelta(seconds=2)
"""Between two pieces of a text much may happen; after a longer pause than this it is looked at again."""

LATER = (timedelta(minutes=1), timedelta(minutes=10))
"""When what broke by a mistake of ours is tried again; then it is given up."""


@dataclass
class Outcome:
    """What came of handing an attempt's pieces to the provider: `taken` are part and provider's id.

    early: receipts that were faster than our log. spread: by how much longer than others it waits for its next try.
    """

    taken: list[tuple[int, str]] = field(default_factory=list)
    early: list[Receipt] = field(default_factory=list)
    error: SendError | None = None
    spread: float = 1

    def applied(self, attempt: Attempt, now: datetime) -> Attempt:
        """The attempt after it. Receipts may have been faster; they stay."""
        for part, provider_id in self.taken:
            attempt = with_part(attempt, Part(provider_id), part, now)
        if self.error is None:
            return attempt
        pause = self.error.retry_after if isinstance(self.error, Unavailable) else None
        return after_error(attempt, self.error.cause, str(self.error), now, pause, self.spread)


async def work(runtime: Runtime, claimed: Notification) -> None:
    """Bring a notification as far as it goes now. It is ours while it carries the lease it was claimed with."""
    current: Notification | None = mark_unknown(claimed)
    while current is not None and current.lease == claimed.lease:
        try:
            context = await look(runtime, current)
        except LookupError as error:
            now = runtime.clock()
            lost = current.saying(now, str(error)).complete(Status.ERROR, now)
            await recording.save(runtime.db, current, lost)
            return
        decided, action = rule.advance(current, context)
        if isinstance(action, Send):
            current = await _send(runtime, current, decided, action, context)
        elif isinstance(action, Recall):
            current = await recalled(runtime, decided, action)
        elif await recording.save(runtime.db, current, decided):
            return
        else:  # a receipt came in between: look again
            current = await notifications.get(runtime.db, claimed.id)


async def given_back(runtime: Runtime, claimed: Notification, at: datetime | None = None) -> None:
    """Nothing came of it: somebody takes it again, at once or then, unless it was being sent."""

    def step(old: Notification) -> Notification | None:
        sending = any(attempt.progress is Progress.SENDING for attempt in old.attempts)
        if sending or old.lease != claimed.lease:
            return None
        return structs.replace(old.reschedule(at or runtime.clock()), lease=None)

    await insist(recording.change, runtime.db, claimed.id, step)


async def broken(runtime: Runtime, key: str, error: Exception) -> None:
    """Working on this one failed by a mistake of ours: it comes back later, and in the end it is given up, visibly."""
    now, words = runtime.clock(), f"a mistake of ours: {type(error).__name__}"

    def step(old: Notification) -> Notification | None:
        if old.due_at is None:
            return None
        told = structs.replace(old.saying(now, words), mistakes=old.mistakes + 1)
        if told.mistakes > len(LATER):
            return told.complete(Status.ERROR, now)
        return told.waiting(now + LATER[old.mistakes], now, Status.NEW, "")

    await recording.change(runtime.db, key, step)


async def _send(
    runtime: Runtime, before: Notification, notification: Notification, send: Send, context: Context
) -> Notification | None:
    """Make one attempt, when it is its turn; the notification as it is stored then, and was `before`."""
    step, reach = notification.steps[send.step], context.reach[send.step]
    channel, what = channel_of(runtime, step), _what(step, send)
    if reach.address is None or what is None:
        raise TypeError(send)
    pieces: Sequence[Piece] = channel.split(what) if isinstance(what, Content) else [what]
    moments = await admitted(runtime, notification, send, reach, reach.address, len(pieces))
    if isinstance(moments, NotYet):
        put = put_off(runtime, notification, reach.account, moments)
        put_back = await recording.save(runtime.db, before, put)
        return None if put_back else await notifications.get(runtime.db, put.id)
    runtime.gate.enter(reach.account)
    try:
        await _until(runtime, moments[0])
        if runtime.gate.holds.begun_since(reach.account, context.now, runtime.clock()):
            return notification  # the rule has to look again
        planned = list(zip(pieces, moments, strict=True))
        return await _attempted(runtime, before, notification, send, context, planned)
    finally:
        runtime.gate.leave(reach.account)


async def _attempted(
    runtime: Runtime,
    before: Notification,
    notification: Notification,
    send: Send,
    context: Context,
    pieces: Sequence[tuple[Piece, datetime]],
) -> Notification | None:
    step, reach, began = notification.steps[send.step], context.reach[send.step], runtime.clock()
    channel, address = channel_of(runtime, step), reach.address
    if address is None:
        raise TypeError(send)
    index, begun = _begin(notification.saying(began, send.why), send, address, len(pieces), began)
    lease = runtime.settings.lease * len(pieces)
    begun = structs.replace(begun, due_at=began + lease, lane=lane_of(begun.priority), fifo=reach.account)
    stored, other = await _stored(runtime, before, begun)
    if stored is None:
        return other
    outcome = await _hand_over(runtime, stored, index, address, pieces)
    await _learn(runtime, channel, step, address, outcome.error, began)
    then = replace(context, now=runtime.clock())
    after = await insist(
        recording.change,
        runtime.db,
        stored.id,
        lambda old: _after(old, index, outcome, stored.lease, then),
        stored,
    )
    for receipt in outcome.early:
        await received(runtime, receipt)
    return after


async def _stored(
    runtime: Runtime, before: Notification, begun: Notification
) -> tuple[Notification | None, Notification | None]:
    """The notification once it is on disk that we are sending; or none, and what somebody else has made of it.

    Our own write may have arrived although we heard of an error: nothing was sent yet, so there is no doubt to declare.
    """
    if stored := await insist(recording.save, runtime.db, before, begun):
        return stored, None
    found = await insist(notifications.get, runtime.db, begun.id)
    return (found, None) if found == structs.replace(begun, version=begun.version + 1) else (None, found)


async def _until(runtime: Runtime, moment: datetime) -> None:
    await asyncio.sleep(max(0, (moment - runtime.clock()).total_seconds()))


def _what(step: Step, send: Send) -> Piece | None:
    if send.template or step.content is None:
        return step.template
    return structs.replace(step.content, intent=send.intent)


def _begin(
    notification: Notification, send: Send, address: Address, pieces: int, now: datetime
) -> tuple[int, Notification]:
    """Which attempt it is, and the notification with that attempt as SENDING."""
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
        return len(notification.attempts), structs.replace(notification.trying(attempt), fifo_since=None)
    old = notification.attempts[send.again]
    again = structs.replace(old, progress=Progress.SENDING, at=now, sent_at=now, address=address)
    return send.again, notification.with_attempt(send.again, again)


async def _hand_over(
    runtime: Runtime,
    notification: Notification,
    index: int,
    address: Address,
    pieces: Sequence[tuple[Piece, datetime]],
) -> Outcome:
    """Hand over, in order and each at its moment, the pieces that the provider has not taken yet, up to the first that
    it does not take.
    """
    attempt, outcome = notification.attempts[index], Outcome(spread=random.uniform(1, 1.5))  # noqa: S311
    channel = channel_of(runtime, notification.steps[attempt.step])
    first = len(attempt.parts)
    for part, (piece, moment) in list(enumerate(pieces))[first:]:
        if part > first and (over := await _over(runtime, notification, moment)):
            outcome.error = Refused(f"{over}; the rest was not sent")
            break
        await _until(runtime, moment)
        trace: Trace = []
        try:
            with metrics.SEND.labels(address.channel).time(), span("send", channel=address.channel), tracing(trace):
                provider_id = await channel.send(address, piece, key=key_of(notification, index, part))
        except SendError as error:
            outcome.error = error
            break
        except Exception as error:
            log.exception("%s broke over a message", account_key(channel))
            outcome.error = Ambiguous(f"a mistake of ours ({type(error).__name__}); it may have been sent")
            break
        finally:
            runtime.tracer.keep(account_key(channel), notification.id, index, trace)
        outcome.taken.append((part, provider_id))
        line = line_of(notification, index, part, address, provider_id, runtime.clock())
        outcome.early += await insist(chat_log.log, runtime.db, line)
    return outcome


async def _over(runtime: Runtime, sending: Notification, moment: datetime) -> str:
    """Why a piece that has to wait for its moment is not to be sent any more, or nothing."""
    if moment <= runtime.clock() + PAUSE:
        return ""
    await _until(runtime, moment)
    now = await notifications.get(runtime.db, sending.id)
    if now is None or now.lease != sending.lease:
        return "another process has taken over"
    if now.cancelled_at:
        return "it was cancelled"
    return "its validity is over" if runtime.clock() >= now.expires_at else ""


def _after(old: Notification, index: int, outcome: Outcome, lease: str | None, context: Context) -> Notification:
    """The outcome written into the notification, and, while it is still ours, what follows from it."""
    told = old.with_attempt(index, outcome.applied(old.attempts[index], context.now))
    if outcome.error:
        told = told.saying(context.now, f"{old.steps[old.attempts[index].step].channel}: {outcome.error}")
    return rule.advance(told, context)[0] if old.lease == lease else told


async def _learn(
    runtime: Runtime, channel: Channel, step: Step, address: Address, error: SendError | None, began: datetime
) -> None:
    """What it teaches us about our account, the session and the template, as of when we began to send."""
    runtime.counts.count_send(account_key(channel), failed=error is not None)
    await insist(runtime.gate.holds.heard, account_key(channel), error, began, runtime.clock())
    if error:
        await insist(corrected, runtime, address, error.cause, template_of(channel, step), str(error), began)

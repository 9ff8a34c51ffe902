"""Recalls messages that a later step has replaced, where the provider supports it."""

import logging

from msgspec.structs import replace

from bots.wire.traces import Trace, tracing
from gateway.domain.cascade.moves import Context, Reachability, Recall
from gateway.domain.channel.errors import SendError
from gateway.domain.model.notification import Notification
from gateway.messages.delivery import recording
from gateway.runtime.runtime import Runtime
from storage.engine.database import insist

log = logging.getLogger(__name__)


async def recall(runtime: Runtime, notification: Notification, move: Recall, context: Context) -> Notification | None:
    """Recall every part of an attempt, once. Returns the notification as it is stored then, with the result."""
    reach = context.reach[notification.attempts[move.attempt].step]
    problem, now = await _recall_parts(runtime, notification, move.attempt, reach), runtime.clock()
    words = f"{move.why}; in vain: {problem}" if problem else move.why

    def step(old: Notification) -> Notification:
        attempt = replace(old.attempts[move.attempt], recalled_at=now)
        return old.saying(now, words).with_attempt(move.attempt, attempt)

    return await insist(recording.change, runtime, notification.id, step)


async def _recall_parts(runtime: Runtime, notification: Notification, index: int, reach: Reachability) -> str:
    """Recall the parts. Returns the provider's objection, or ""."""
    attempt = notification.attempts[index]
    if attempt.address is None or reach.channel is None:
        raise TypeError(attempt)
    trace: Trace = []
    try:
        for part in attempt.parts:
            if part.provider_id:
                with tracing(trace):
                    await reach.channel.recall(attempt.address, part.provider_id)
    except SendError as error:
        return str(error)
    except Exception as error:
        log.exception("%s broke over taking a message back", reach.account)
        return f"a mistake of ours ({type(error).__name__})"
    finally:
        runtime.tracer.keep(reach.account, notification.id, index, trace)
    return ""

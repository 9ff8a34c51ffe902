"""Taking back what a later step has replaced, where the provider lets us."""

import logging

from msgspec import structs

from bots.wire.traces import Trace, tracing
from gateway.domain.cascade.moves import Recall
from gateway.domain.channel.errors import SendError
from gateway.domain.model.notification import Notification
from gateway.messages.delivery import recording
from gateway.messages.delivery.reachability import channel_of
from gateway.runtime.runtime import Runtime, account_key
from storage.engine.database import insist

log = logging.getLogger(__name__)


async def recalled(runtime: Runtime, notification: Notification, recall: Recall) -> Notification | None:
    """Take back every part of an attempt, once; the notification as it is stored then, with what came of it."""
    problem, now = await _taken_back(runtime, notification, recall.attempt), runtime.clock()
    words = f"{recall.why}; in vain: {problem}" if problem else recall.why

    def step(old: Notification) -> Notification:
        attempt = structs.replace(old.attempts[recall.attempt], recalled_at=now)
        return old.saying(now, words).with_attempt(recall.attempt, attempt)

    return await insist(recording.change, runtime.db, notification.id, step)


async def _taken_back(runtime: Runtime, notification: Notification, index: int) -> str:
    """What the provider said against it, or nothing."""
    attempt = notification.attempts[index]
    channel = channel_of(runtime, notification.steps[attempt.step])
    if attempt.address is None:
        raise TypeError(attempt)
    trace: Trace = []
    try:
        for part in attempt.parts:
            if part.provider_id:
                with tracing(trace):
                    await channel.recall(attempt.address, part.provider_id)
    except SendError as error:
        return str(error)
    except Exception as error:
        log.exception("%s broke over taking a message back", account_key(channel))
        return f"a mistake of ours ({type(error).__name__})"
    finally:
        runtime.tracer.keep(account_key(channel), notification.id, index, trace)
    return ""

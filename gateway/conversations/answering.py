"""Answers people: what the bot says becomes a notification like any other."""

import asyncio
import logging
from datetime import timedelta

from msgspec.structs import replace

from gateway.domain.channel.contract import Channel
from gateway.domain.model.answers import WORDS, Answer, digest, why_withheld
from gateway.domain.model.attempt import Step
from gateway.domain.model.event import Inbound
from gateway.domain.model.notification import Notification, Priority, Recipient, Status, lane_of
from gateway.domain.model.nouns import Content, Session
from gateway.messages.delivery import recording
from gateway.messages.media.links import with_links, without_links
from gateway.people.sessions import remember
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics

log = logging.getLogger(__name__)

REPLY_LIFE = timedelta(hours=1)
"""How long a bot's answer is valid: later it would only confuse."""


async def answer(runtime: Runtime, channel: Channel, event: Inbound, session: Session) -> None:
    """Queue the bot's answer, if it is asked. It does not wait for the provider to hear that the event was seen."""
    acknowledging = asyncio.create_task(channel.acknowledge(event))
    try:
        told = replace(event, content=with_links(runtime, event.content, event.dedupe_key))
        content = await runtime.conversation(told, session) if event.asks else None
        if content:
            await _say_or_withhold(runtime, event, session, content)
    finally:
        await acknowledging


async def _say_or_withhold(runtime: Runtime, event: Inbound, session: Session, content: Content) -> None:
    """Queue the answer, unless the person has had too many. The first that is withheld has a story that says so.

    A stop is confirmed all the same, once: whoever says it has a right to hear that it is kept.
    """
    reply = _build_reply(runtime, event, session, content)
    text = f"{content.text}\n{content.media.url or content.media.id if content.media else ''}"
    answer = Answer(event.answer_key, reply.created_at, digest(text))
    reason = None if _is_new_stop(event, session) else why_withheld(session.answers, session.spans, answer)
    if reason:
        answer = replace(answer, withheld=True)
        metrics.ANSWERS_WITHHELD.labels(event.channel, reason).inc()
        if not (session.answers and session.answers[-1].withheld):
            log.warning("%s is not answered: %s", session.id, WORDS[reason])
            withheld = reply.saying(answer.at, f"not sent: {WORDS[reason]}")
            await recording.add(runtime.db, [withheld.complete(Status.CANCELLED, answer.at)])
    else:
        await recording.add(runtime.db, [reply])
        runtime.outbox_bell.set()
    confirmed_at = event.at if event.command.name == "stop" and not answer.withheld else None
    await remember(runtime, session, answer, confirmed_at)


def _is_new_stop(event: Inbound, session: Session) -> bool:
    """Tell whether it is a stop, and none has been confirmed since the person last said start."""
    if event.command.name != "stop":
        return False
    confirmed, resumed = session.confirmed_at, session.resumed_at
    return confirmed is None or (resumed is not None and resumed >= confirmed)


def _build_reply(runtime: Runtime, event: Inbound, session: Session, content: Content) -> Notification:
    """Return the bot's answer as a notification. Its id derives from the event, so that it exists only once."""
    content = replace(without_links(content), thread=content.thread or event.content.thread)
    address, now, recipient = event.address, runtime.clock(), Recipient(session=session.id)
    return Notification(
        f"reply:{event.answer_key}",
        recipient,
        (Step(address.channel, address.account, content=content),),
        created_at=now,
        expires_at=now + REPLY_LIFE,
        due_at=now,
        priority=Priority.REPLY,
        accepted=runtime.clock.ordinal(),
        person=session.id,
        lane=lane_of(Priority.REPLY),
        reply_to=event.provider_id,
    )

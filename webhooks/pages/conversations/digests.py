"""What tells that a list of conversations, or a chat, is another than it was a moment ago."""

import asyncio

from gateway.conversations.person import terms
from gateway.runtime.runtime import Runtime
from storage.messages import chat_log, notifications
from storage.messages.notifications import IndexQuery, Person
from storage.people import sessions

TOP = 20
"""Conversations at the top of the list, which any change in one brings it to."""

LINES, WAITING = 30, 5
"""Lines of a chat whose ticks may still move, and messages that may not have left."""


async def digest_of_list(gateway: Runtime, _: str) -> object:
    """Return the digest of the list of conversations."""
    now = gateway.clock()
    latest, unseen = await asyncio.gather(
        sessions.latest(gateway.db, None, now, TOP), sessions.unseen(gateway.db, None, now, TOP)
    )
    return [(session.id, session.version) for session in (*latest, *unseen)]


async def digest_of_chat(gateway: Runtime, key: str) -> object:
    """Return the digest of a conversation: its lines, what became of ours, how its window stands."""
    now, to = gateway.clock(), IndexQuery(person=Person(sessions=(key,)))
    session, lines, waiting = await asyncio.gather(
        sessions.get(gateway.db, key),
        chat_log.of_session(gateway.db, key, None, now, LINES),
        notifications.page(gateway.db, to, None, now, WAITING),
    )
    ours = [line.notification for line in lines if line.notification]
    told = await notifications.versions(gateway.db, [*ours, *(each.id for each in waiting)])
    channel = gateway.channel(session.address.channel, session.address.account) if session else None
    taken = channel and terms(channel, session, now)
    return session and session.version, taken, [line.id for line in lines], told

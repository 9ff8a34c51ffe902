"""Rivalry: a number is one person's on each channel, and the latest proof of it counts, whenever it is heard.

A proof is what the provider reports of a chat. Numbers are given away again, and whoever had one before must neither
read what is meant for the new owner nor speak for them, so their chat leaves the contact. A deep link's code proves
nothing.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from gateway.domain.model.nouns import Contact, Session
from gateway.runtime.runtime import Runtime
from storage.documents.documents import TRIES, Contended
from storage.people import contacts, sessions


async def settle(runtime: Runtime, session: Session) -> list[Session]:
    """Let every chat leave the contact of this one that has lost its place to a newer proof: others, or this one.

    Returns those that have left, as they were. May be repeated. Raises Contended.
    """
    left: list[Session] = []
    for _ in range(TRIES):
        contact = await contacts.get(runtime.db, session.contact) if session.contact else None
        losers = _losers(contact, await _places(runtime, contact, session)) if contact else []
        if not losers:
            return left
        left += [loser for loser in losers if await _leave(runtime, loser)]
    raise Contended(session.id)


async def _places(runtime: Runtime, contact: Contact, session: Session) -> list[Session]:
    """Return the person's chats of which only one can be theirs: those whose ids name a user of the same messenger."""
    channel = runtime.channel(session.address.channel, session.address.account)
    if channel is None or channel.facts.identifier_of(session.address.user):
        return []
    return [
        chat
        for chat in await sessions.of_contact(runtime.db, contact)
        if chat.address.channel == session.address.channel
        and (channel.facts.shared_ids or chat.address.account == session.address.account)
        and not channel.facts.identifier_of(chat.address.user)
    ]


def _losers(contact: Contact, chats: Sequence[Session]) -> list[Session]:
    """Return those that another user's proof outdoes: a newer one of the same, or any where there is none. Pure."""
    return [chat for chat in chats if any(_outdoes(contact, other, chat) for other in chats)]


def _outdoes(contact: Contact, other: Session, chat: Session) -> bool:
    if other.proved_at is None or other.address.user == chat.address.user:
        return False
    if chat.proved_at is None:
        return not set(other.proved).isdisjoint(contact.identifiers)
    later = (other.proved_at, other.id) > (chat.proved_at, chat.id)
    return later and not set(other.proved).isdisjoint(chat.proved)


async def _leave(runtime: Runtime, loser: Session) -> bool:
    """Take a chat from its contact. Returns False if it has proved something else meanwhile."""

    def step(stored: Session | None) -> Session | None:
        if stored is None or (stored.contact, stored.proved_at) != (loser.contact, loser.proved_at):
            return None
        return replace(stored, contact=None, joined_at=None)

    await sessions.change(runtime.db, loser.id, step)
    stored = await sessions.at_address(runtime.db, loser.id)
    return stored is None or stored.contact is None

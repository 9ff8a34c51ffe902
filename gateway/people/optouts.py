"""Opt-outs: who does not want messages from us. They are read before each attempt, by every name of a person.

An opt-out is stored under the person's identifiers, their contact and their conversations alike, so that it holds
before there is a contact, and whatever becomes of the contact.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from gateway.domain.model.identifier import Identifier
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Contact, Session
from gateway.domain.model.phone import spellings
from gateway.domain.terms.consent import Word, standing, takes_back
from storage.documents.documents import Db
from storage.people import optouts

Kind = Literal["marketing", "all"]
KINDS: tuple[Kind, ...] = ("marketing", "all")


def names(identifiers: Iterable[Identifier], contact: Contact | None, conversations: Iterable[Session]) -> list[str]:
    """Return the names under which a person's opt-outs are stored: identifiers, contacts, conversations. Pure."""
    own = {*identifiers, *(contact.identifiers if contact else ())}
    return [
        *sorted(own),
        *(f"contact:{key}" for key in (contact.ids if contact else ())),
        *(f"session:{session.id}" for session in conversations),
    ]


async def opt_out_reason(db: Db, notification: Notification, person: Sequence[str]) -> str:
    """Return why this message may not go to this person, or "". A bot's answer to their own message always may."""
    if notification.reply_to is not None:
        return ""
    kinds: Sequence[Kind] = KINDS if notification.marketing else ("all",)
    active = await optouts.find_active(db, _keys(kinds, person))
    first = min(active, key=lambda optout: optout.at, default=None)
    scope = "" if first is None or first.kind == "all" else " of marketing"
    return f"the person has opted out{scope} on {first.at:%Y-%m-%d %H:%M} UTC" if first else ""


async def kinds_of(db: Db, person: Sequence[str]) -> list[str]:
    """Return the kinds of messages that a person does not want, by all of their names."""
    return sorted({optout.kind for optout in await optouts.find_active(db, _keys(KINDS, person))})


async def opt_out(db: Db, person: Sequence[str], kind: Kind, at: datetime, by: str, reason: str = "") -> None:
    """Opt a person out of this kind. by: who says so, for the log. May be repeated. Raises Contended."""
    word = Word(at, by, out=True, reason=reason)
    await asyncio.gather(*(optouts.say(db, name, kind, key(kind, name), word) for name in person))


async def carry_over(db: Db, person: Sequence[str], name: str) -> None:
    """Copy the active opt-outs of these names to `name`, where they hold whatever becomes of the others."""
    for kind in KINDS:
        active = await optouts.find_active(db, _keys([kind], person))
        for word in [word for optout in active for word in standing(optout.log)]:
            await optouts.say(db, name, kind, key(kind, name), word)


async def opt_in(db: Db, person: Sequence[str], kinds: Iterable[Kind], at: datetime, by: str, reason: str = "") -> None:
    """Opt a person in again, as far as whoever says so may (`consent.takes_back`) and nothing was said since.

    Raises Contended.
    """
    word = Word(at, by, out=False, reason=reason)
    active = await optouts.find_active(db, _keys(kinds, person))
    affected = [
        optout for optout in active if any(takes_back(word, out) and out.at <= at for out in standing(optout.log))
    ]
    await asyncio.gather(*(optouts.say(db, each.name, each.kind, each.id, word) for each in affected))


def _keys(kinds: Iterable[Kind], person: Sequence[str]) -> list[str]:
    """Return the ids of a person's opt-outs, also of those that were stored under another spelling of a number."""
    return [key(kind, each) for kind in kinds for name in person for each in spellings(Identifier(name))]


def key(kind: Kind, name: str) -> str:
    """Return the id of the opt-out of this kind under one of a person's names."""
    return f"{kind}:{name}"

"""Opt-outs: who does not want messages from us. They are read before each attempt, by every name of a person.

An opt-out is stored under the person's identifiers, their contact and their conversations alike, so that it holds
before there is a contact, and whatever becomes of the contact.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from gateway.domain.model.identifier import Identifier
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Contact, Session
from gateway.domain.model.phone import spellings
from storage.documents.documents import Db
from storage.people import optouts
from storage.people.optouts import OptOut

Kind = Literal["marketing", "all"]
KINDS: tuple[Kind, ...] = ("marketing", "all")
WORD = "word"
"""How `by` begins where the person said it: a keyword of theirs ends only the opt-outs that they made themselves."""


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


async def opt_out(db: Db, person: Sequence[str], kind: Kind, at: datetime, by: str, reason: str = "") -> None:
    """Opt a person out of this kind. by: who says so, for the log. May be repeated."""
    await optouts.opt_out(db, [OptOut(key(kind, name), name, kind, at, by, reason) for name in person])


async def carry_over(db: Db, person: Sequence[str], name: str) -> None:
    """Copy the active opt-outs of these names to `name`, where they hold whatever becomes of the others."""
    for kind in KINDS:
        active = await optouts.find_active(db, _keys([kind], person))
        await optouts.opt_out(db, [replace(optout, id=key(kind, name), name=name) for optout in active])


async def opt_in(db: Db, person: Sequence[str], kinds: Iterable[Kind], at: datetime, by: str) -> None:
    """Opt a person in again. By a keyword of their own, opt-outs that others made for them stay."""
    active = await optouts.find_active(db, _keys(kinds, person))
    affected = [optout for optout in active if not by.startswith(WORD) or optout.by.startswith(WORD)]
    await optouts.opt_in(db, [optout.id for optout in affected if optout.at <= at], at, by)


def _keys(kinds: Iterable[Kind], person: Sequence[str]) -> list[str]:
    """Return the ids of a person's opt-outs, also of those that were stored under another spelling of a number."""
    return [key(kind, each) for kind in kinds for name in person for each in spellings(Identifier(name))]


def key(kind: Kind, name: str) -> str:
    """Return the id of the opt-out of this kind under one of a person's names."""
    return f"{kind}:{name}"

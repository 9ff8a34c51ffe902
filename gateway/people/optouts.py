"""Who does not want to hear from us: looked up before each attempt, by every name that we know of a person.

An opt-out is kept under the person's identifiers, their contact and their conversations alike, so that it holds for
whoever is no contact yet, and whatever becomes of the contact.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from gateway.domain.model.identifier import Identifier
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Contact, Session
from storage.documents.documents import Db
from storage.people import optouts
from storage.people.optouts import OptOut

Kind = Literal["marketing", "all"]
KINDS: tuple[Kind, ...] = ("marketing", "all")
WORD = "word"
"""Said by the person: only what they said themselves is taken back by a word of theirs."""


def names(identifiers: Iterable[Identifier], contact: Contact | None, conversations: Iterable[Session]) -> list[str]:
    """Return the names under which a person's opt-outs are kept: identifiers, contacts, conversations. Pure."""
    known = {*identifiers, *(contact.identifiers if contact else ())}
    ids = (contact.id, *contact.aliases) if contact else ()
    return [
        *sorted(known),
        *(f"contact:{key}" for key in ids),
        *(f"session:{session.id}" for session in conversations),
    ]


async def opt_out_reason(db: Db, notification: Notification, person: Sequence[str]) -> str:
    """Why this message may not go to this person, in words; "" if it may. An answer to their own word always may."""
    if notification.reply_to is not None:
        return ""
    kinds: Sequence[Kind] = KINDS if notification.marketing else ("all",)
    found = await optouts.of(db, [key(kind, name) for kind in kinds for name in person])
    first = min(found, key=lambda one: one.at, default=None)
    what = "" if first is None or first.kind == "all" else " of marketing"
    return f"the person has opted out{what} on {first.at:%Y-%m-%d %H:%M} UTC" if first else ""


async def leave(db: Db, person: Sequence[str], kind: Kind, at: datetime, by: str, reason: str = "") -> None:
    """They want no more of this kind. `by`: who says so, for proof. May be repeated."""
    await optouts.out(db, [OptOut(key(kind, name), name, kind, at, by, reason) for name in person])


async def carry_over(db: Db, person: Sequence[str], name: str) -> None:
    """What holds for one of these names holds for this one too, whatever becomes of them."""
    for kind in KINDS:
        found = await optouts.of(db, [key(kind, one) for one in person])
        await optouts.out(db, [replace(one, id=key(kind, name), name=name) for one in found])


async def come_back(db: Db, person: Sequence[str], kinds: Iterable[Kind], at: datetime, by: str) -> None:
    """They want it again. By a word of their own, what others have said for them stays."""
    found = await optouts.of(db, [key(kind, name) for kind in kinds for name in person])
    mine = [one for one in found if not by.startswith(WORD) or one.by.startswith(WORD)]
    await optouts.back(db, [one.id for one in mine if one.at <= at], at, by)


def key(kind: Kind, name: str) -> str:
    return f"{kind}:{name}"

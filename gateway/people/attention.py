"""Attention: what operators have not seen of a conversation, who looked last, and what was said last. Pure."""

from datetime import datetime, timedelta
from hashlib import sha256

from msgspec.structs import replace

from gateway.domain.channel.moments import latest
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Content, Last, Session

MOST_UNSEEN = 10
"""Unseen messages that are told apart: beyond nine it is enough to know that there are many."""

SHOWN = 120
"""Characters of what was said last."""

LOOKS_FOR = timedelta(minutes=1)
"""A second look of the same operator within this time changes nothing."""


def noticed(session: Session, event: Inbound, at: datetime) -> Session:
    """Return the session after a person's message, which no operator has seen. May be repeated, and in any order.

    To open the chat says nothing that somebody would have to see.
    """
    if event.only_starts:
        return replace(session, last=_later(session.last, last_of(Content("/start"), at)))
    name = sha256(event.dedupe_key.encode()).hexdigest()[:8]
    return replace(
        session,
        unseen=tuple(sorted({*session.unseen, name}))[:MOST_UNSEEN],
        unseen_from=min(at, session.unseen_from or at),
        last=_later(session.last, last_of(event.content, at)),
    )


def seen(session: Session, by: str, at: datetime) -> Session:
    """Return the session after an operator has opened it."""
    again = session.seen_by == by and session.seen_at is not None and at - session.seen_at < LOOKS_FOR
    if again and session.unseen_from is None and session.seen_from is None:
        return session
    return replace(session, unseen=(), unseen_from=None, seen_by=by, seen_at=at, seen_from=session.unseen_from)


def said(session: Session, content: Content, at: datetime) -> Session:
    """Return the session after we have said something in it."""
    return replace(session, last=_later(session.last, last_of(content, at, out=True)))


def last_of(content: Content, at: datetime, *, out: bool = False) -> Last:
    """Return what is remembered of a message as the last one."""
    text = " ".join(content.text[: 4 * SHOWN].split())
    return Last(at, text[:SHOWN], content.media.type if content.media else "", out)


def united(session: Session, former: Session) -> dict[str, object]:
    """Return what two sessions that are one conversation have together."""
    starts = [each.unseen_from for each in (session, former) if each.unseen_from]
    looked = max(session, former, key=_looked)
    return {
        "unseen": tuple(sorted({*session.unseen, *former.unseen}))[:MOST_UNSEEN],
        "unseen_from": min(starts, default=None),
        "last": _later(session.last, former.last) if former.last else session.last,
        "seen_by": looked.seen_by,
        "seen_at": looked.seen_at,
        "seen_from": looked.seen_from,
    }


def _looked(session: Session) -> tuple[float, str]:
    return session.seen_at.timestamp() if session.seen_at else 0, session.seen_by or ""


def _later(one: Last | None, other: Last) -> Last:
    return other if one is None or latest(one.at, other.at) == other.at else one

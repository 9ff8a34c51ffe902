"""Lists of conversations: the latest, those that no operator has seen, and those of a person who is looked for."""

import asyncio
from typing import Annotated, Literal

from msgspec import Meta

from gateway.domain.api.request import Input, Name
from gateway.domain.model.nouns import Contact, Session
from gateway.domain.model.sought import is_number, name_key, phone_tail
from gateway.runtime.paging import MOST, Cursor, Limit, cursor, place
from gateway.runtime.runtime import Runtime, check_channel
from storage.documents.newest import Place
from storage.people import contacts, search, sessions

State = Literal["open", "closed", "stopped", "blocked"]

SCANNED = 10
"""The most pages of stored conversations that are read for one filtered page."""

FEWEST_DIGITS = 3
"""Digits with which something is taken for the end of a number."""

FOUND = 50
"""The most people, and the most conversations of each kind, that are looked at for one search."""


class SessionsQuery(Input):
    """Which conversations are wanted; the latest first.

    unread: those that no operator has seen all of. q: the beginning of a name, or the end of a number.
    """

    channel: Name | None = None
    account: Name | None = None
    contact_id: Name | None = None
    state: State | None = None
    unread: Literal["true", "false"] = "false"
    q: Annotated[str, Meta(min_length=2, max_length=64)] | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


def state(session: Session) -> State:
    """Return a conversation's state. Pure."""
    if session.blocked_at:
        return "blocked"
    if session.stopped_at:
        return "stopped"
    return "closed" if session.closed_at else "open"


async def page(runtime: Runtime, query: SessionsQuery) -> tuple[list[Session], str | None]:
    """Return a page of conversations and the cursor of the next one, if any. Raises RequestError."""
    check_channel(query.channel)
    unread = query.unread == "true"
    if query.q:
        return [session for session in await _found(runtime, query.q) if _fits(query, session)], None
    if query.contact_id:
        contact = await contacts.get(runtime.db, query.contact_id)
        conversations = await sessions.of_contact(runtime.db, contact) if contact else []
        return [session for session in conversations if _fits(query, session)], None
    behind, rows = place(query.cursor), list[Session]()
    stored = sessions.unseen if unread else sessions.latest
    read = MOST if query.channel or query.account or query.state else query.limit  # without a filter, each fits
    for _ in range(SCANNED):
        latest = await stored(runtime.db, behind, runtime.clock(), read)
        for session in latest:
            behind = Place((session.unseen_from if unread else session.active_at) or runtime.clock(), session.id)
            if _fits(query, session):
                rows.append(session)
            if len(rows) == query.limit:
                return rows, cursor(behind.at, behind.id)
        if len(latest) < read:
            return rows, None
    return rows, cursor(behind.at, behind.id) if behind else None


def _fits(query: SessionsQuery, session: Session) -> bool:
    unread = query.unread == "true"
    address = session.address
    pairs = ((query.channel, address.channel), (query.account, address.account), (query.state, state(session)))
    wanted = all(filter_value in {None, value} for filter_value, value in pairs)
    return wanted and not (unread and session.unseen_from is None)


async def _found(runtime: Runtime, wanted: str) -> list[Session]:
    """Return the conversations of whom this may name, the latest first."""
    number = is_number(wanted, FEWEST_DIGITS)
    field: search.Field = "phone_tail" if number else "name_key"
    key = phone_tail(wanted) if number else name_key(wanted)
    if not key:
        return []
    found = await search.sessions(runtime.db, field, key, FOUND)
    people = await search.contacts(runtime.db, field, key, FOUND)
    found += [session for each in await asyncio.gather(*(_of(runtime, each) for each in people)) for session in each]
    unique = {session.id: session for session in found if session.moved_to is None}
    return sorted(unique.values(), key=_activity, reverse=True)


async def _of(runtime: Runtime, contact: Contact) -> list[Session]:
    """Return the conversations of a contact, or of the one that it was merged into."""
    whole = await contacts.get(runtime.db, contact.id)
    return await sessions.of_contact(runtime.db, whole) if whole else []


def _activity(session: Session) -> float:
    return session.active_at.timestamp() if session.active_at else 0


async def count_unread(runtime: Runtime, most: int) -> int:
    """Return how many conversations no operator has seen all of, up to so many."""
    return await sessions.count_unseen(runtime.db, most)

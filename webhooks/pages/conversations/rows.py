"""The list of conversations: whose each is, what was said last, and what nobody has seen yet."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from quart import url_for

from gateway.conversations.listing import SessionsQuery, count_unread, page
from gateway.domain.api.request import convert
from gateway.domain.model.nouns import Contact, Last, Session
from storage.people import contacts
from webhooks.http.context import query, runtime

FILTERS = ("unread", "state", "channel", "q")
"""What the list is filtered by, in the address."""

FEWEST, MOST = 2, 64
"""Characters of what is searched for."""

COUNTED = 100
"""Unread conversations that are counted; there may be more."""


@dataclass(frozen=True)
class Row:
    """A conversation in the list."""

    key: str
    name: str
    channel: str
    at: datetime | None
    last: Last | None
    unread: int

    @property
    def initial(self) -> str:
        """Return the first letter of the name."""
        return self.name[:1].upper()


@dataclass(frozen=True)
class Listed:
    """A page of the list. chosen: its filters. older: the cursor of the next page, if there is one."""

    rows: Sequence[Row]
    chosen: Mapping[str, str]
    unread: int
    older: str | None
    channels: Sequence[str]

    @property
    def tab(self) -> str:
        """Return which tab is chosen."""
        return "unread" if "unread" in self.chosen else self.chosen.get("state", "all")

    def address(self, **changes: str | None) -> str:
        """Return the list's address with other filters; None takes one away."""
        kept = {name: value for name, value in {**self.chosen, **changes}.items() if value}
        return url_for("ui.conversations.show_list") + (f"?{urlencode(kept)}" if kept else "")

    def address_of(self, row: Row) -> str:
        """Return the address of a conversation: it opens at the first message that is new."""
        kept = f"?{urlencode(self.chosen)}" if self.chosen else ""
        return url_for("ui.conversations.show", key=row.key) + kept + ("#new" if row.unread else "")


async def listed() -> Listed:
    """Return the list that this request asks for. Raises RequestError."""
    given = {name: str(value) for name, value in query().items() if name in {*FILTERS, "list"} and value != ""}
    cursor = given.pop("list", None)
    wanted = dict(given)
    if len(given.get("q", "").strip()) < FEWEST:
        wanted.pop("q", None)
    elif "q" in wanted:
        wanted["q"] = wanted["q"].strip()[:MOST]
    sessions_query = convert(SessionsQuery, wanted | ({"cursor": cursor} if cursor else {}))
    (sessions, next_cursor), unread = await asyncio.gather(
        page(runtime(), sessions_query), count_unread(runtime(), COUNTED)
    )
    names = await asyncio.gather(*(_contact(session) for session in sessions))
    rows = [_row(session, contact) for session, contact in zip(sessions, names, strict=True)]
    return Listed(rows, given, unread, next_cursor, list(runtime().channels))


def name_of(session: Session, contact: Contact | None) -> str:
    """Return what a person is called: as we call them, as they call themselves, or by their number."""
    return (contact and contact.name) or session.name or (contact and contact.find("phone")) or session.address.user


async def _contact(session: Session) -> Contact | None:
    return await contacts.get(runtime().db, session.contact) if session.contact else None


def _row(session: Session, contact: Contact | None) -> Row:
    at = session.active_at or (session.last.at if session.last else None)
    return Row(session.id, name_of(session, contact), session.address.channel, at, session.last, len(session.unseen))

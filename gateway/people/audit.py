"""The audit: each act of a person is recorded by one function, whichever door it came through.

It holds names and states, and neither texts nor secrets. What services send is no act: a message tells its own story.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Annotated

from msgspec import Meta

from gateway.domain.model.act import Act
from gateway.runtime.paging import PageQuery, cursor, place
from storage.access import audit
from storage.access.audit import Door, Entry, Filter
from storage.documents.documents import Db

LONGEST = 300
"""Characters of each value in an entry; the rest is cut."""

Wanted = Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class AuditQuery(PageQuery):
    """who: a user's e-mail, a key's name, or an account in the shell. target: the id of what was acted upon."""

    who: Wanted | None = None
    act: Act | None = None
    target: Wanted | None = None


@dataclass(frozen=True)
class Actor:
    """Who acts, through which door, and from which address."""

    name: str
    door: Door
    address: str = ""


@dataclass
class Deed:
    """What was done, and to what; see `Entry`."""

    act: Act
    target: str = ""
    name: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)


async def record(db: Db, actor: Actor, deed: Deed, now: datetime) -> None:
    """Put into the audit what somebody has done."""
    before, after = ({name: value[:LONGEST] for name, value in fields.items()} for fields in (deed.before, deed.after))
    entry = Entry(
        token_hex(12),
        now,
        actor.name[:LONGEST],
        actor.door,
        deed.act,
        actor.address[:LONGEST],
        deed.target[:LONGEST],
        deed.name[:LONGEST],
        before,
        after,
    )
    await audit.add(db, entry)


async def page(db: Db, query: AuditQuery, now: datetime) -> tuple[list[Entry], str | None]:
    """Return a page of the audit, the newest first, and the cursor of the next one. Raises RequestError."""
    wanted = Filter(query.who, query.act, query.target)
    entries, further = await audit.page(db, wanted, place(query.cursor), now, query.limit)
    return entries, cursor(further.at, further.id) if further else None

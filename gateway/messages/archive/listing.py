"""Messages in lists: found by what callers know of them, the newest first."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from gateway.domain.api.formats import iso
from gateway.domain.api.request import IdentifiedInput, Input, Name, RequestError
from gateway.domain.api.response import MessageView
from gateway.domain.model.attempt import Attempt
from gateway.domain.model.identifier import Identifier, find
from gateway.domain.model.notification import Notification, Status
from gateway.people import recipients
from gateway.people.identifiers import read_identifiers
from gateway.runtime.paging import MOST, Cursor, Limit, cursor, place
from gateway.runtime.runtime import Runtime, check_channel
from storage.documents.newest import Place
from storage.messages import notifications
from storage.messages.notifications import IndexQuery, Person

SHOWN = 200
"""Characters of a text that a list shows."""

SCANNED = 10 * MOST
"""Messages that are looked at for one page, however few of them are wanted."""

Moment = Annotated[datetime, Meta(tz=True)]


class FilterQuery(Input):
    """Which messages are wanted. phone: all of a number, or a part of it. from, to: when they were accepted.

    A day alone is all of it, in the gateway's time zone. status: one, or several with commas between them. identifier:
    `kind:value`, as the API tells it. reason: what an attempt failed of or was skipped for, in its own words.
    """

    status: Annotated[str, Meta(max_length=256)] | None = None
    channel: Name | None = None
    phone: Annotated[str, Meta(min_length=3, max_length=32)] | None = None
    email: Name | None = None
    external_id: Name | None = None
    identifier: str | None = None
    group_id: Name | None = None
    bulk_id: Name | None = None
    job_id: Name | None = None
    reason: Annotated[str, Meta(max_length=1024)] | None = None
    since: Moment | None = msgspec.field(name="from", default=None)
    until: Moment | None = msgspec.field(name="to", default=None)


class MessagesQuery(FilterQuery):
    """A page of them. `cursor` is what the page before it gave."""

    limit: Limit = 50
    cursor: Cursor | None = None


class ExportQuery(FilterQuery):
    """All of them, as a file."""

    format: Literal["csv", "xlsx"] = "csv"


@dataclass(frozen=True)
class Page:
    """cursor: where to look on; None: there is nothing more."""

    rows: list[MessageView]
    cursor: str | None


async def listed(runtime: Runtime, query: FilterQuery, after: str | None, limit: int) -> Page:
    """Return up to `limit` rows. Where many have to be passed over the page ends early. Raises RequestError."""
    identifiers = _identifiers(runtime, query)
    people = [await recipients.person_called(runtime, each) for each in identifiers]
    index_query, behind, found = _index_query(query, people), place(after), list[Notification]()
    picky = any(
        [query.status and _statuses(query.status), query.channel, query.reason, _part(query, identifiers) is not None]
    )
    at_once = MOST if picky else limit
    for _ in range(SCANNED // MOST):
        page = await notifications.page(runtime.db, index_query, behind, runtime.clock(), at_once)
        for notification in page:
            behind = Place(notification.created_at, notification.id)
            if _fits(query, people, _part(query, identifiers), notification):
                found.append(notification)
            if len(found) == limit:
                return Page(await _rows(runtime, found), cursor(behind.at, behind.id))
        if len(page) < at_once:
            return Page(await _rows(runtime, found), None)
    return Page(await _rows(runtime, found), cursor(behind.at, behind.id) if behind else None)


async def _rows(runtime: Runtime, found: Sequence[Notification]) -> list[MessageView]:
    return list(map(row, found, await recipients.identifiers_of(runtime, [each.recipient for each in found])))


async def every(runtime: Runtime, query: FilterQuery) -> AsyncIterator[list[MessageView]]:
    """Yield all rows, a page at a time. Raises RequestError before the first one."""
    page = await listed(runtime, query, None, MOST)
    yield page.rows
    while page.cursor:
        page = await listed(runtime, query, page.cursor, MOST)
        yield page.rows


def row(notification: Notification, identifiers: Sequence[Identifier]) -> MessageView:
    """Return a message as one line of a list. identifiers: of its recipient, as far as they are known. Pure."""
    last = notification.attempts[-1] if notification.attempts else None
    return MessageView(
        id=notification.id,
        group_id=notification.group_id,
        bulk_id=notification.bulk_id,
        job_id=notification.job_id,
        phone=find(identifiers, "phone"),
        external_id=find(identifiers, "externalId"),
        identifiers=list(identifiers),
        status=notification.status,
        channel=notification.steps[last.step].channel if last else None,
        reason=notification.decisions[-1].text if notification.decisions else None,
        created_at=iso(notification.created_at),
        sent_at=iso(last.sent_at) if last else None,
        finished_at=iso(notification.done_at),
        part_count=notification.steps[last.step].parts if last else 0,
        text=_said(notification, last)[:SHOWN] or None,
    )


def _said(notification: Notification, last: Attempt | None) -> str:
    """Return what the last attempt said, or the first would: a text, a file's name, or a template with its values."""
    step = notification.steps[last.step if last else 0]
    content, template = step.content, step.template
    if template and (content is None or (last and last.template)):
        values = ", ".join(template.values.values())
        return f"{template.name}/{template.language}" + (f": {values}" if values else "")
    if content is None:
        return ""
    return content.text or (content.media.name or content.media.type if content.media else "")


def sent_text(notification: Notification, attempt: Attempt) -> str | None:
    """Return the text of an attempt as this person was to read it; None where a provider's template was sent. Pure."""
    content = notification.steps[attempt.step].content
    return content.text if content and not attempt.template else None


def _index_query(query: FilterQuery, people: Sequence[Person]) -> IndexQuery:
    """Return as much of the query as the database answers by an index. Raises RequestError."""
    check_channel(query.channel)
    index_query = IndexQuery(query.group_id, query.bulk_id, query.job_id, next(iter(people), None))
    since, until = _moment("from", query.since), _moment("to", query.until)
    return replace(index_query, since=since or index_query.since, until=until or index_query.until)


def _moment(name: str, moment: datetime | None) -> datetime | None:
    try:
        return moment and moment.astimezone(UTC)
    except OverflowError:  # at the edges of the calendar
        raise RequestError("invalid", "there is no such moment", name) from None


def _identifiers(runtime: Runtime, query: FilterQuery) -> list[Identifier]:
    """Return by whom the query asks, as far as each is given in full. Raises RequestError."""
    request = IdentifiedInput(email=query.email, external_id=query.external_id, identifier=query.identifier)
    identifiers = list(read_identifiers(runtime, request).values())
    with suppress(RequestError):  # a part of a number is none
        identifiers += read_identifiers(runtime, IdentifiedInput(phone=query.phone)).values()
    return identifiers


def _part(query: FilterQuery, identifiers: Sequence[Identifier]) -> str | None:
    """Return the digits that are asked for as a part of a number; None where no part is asked for. Pure."""
    if query.phone is None or find(identifiers, "phone"):
        return None
    return "".join(filter(str.isdigit, query.phone))


def _statuses(words: str) -> frozenset[Status]:
    """Return the statuses that are asked for. Raises RequestError."""
    try:
        return frozenset(map(Status, words.split(",")))
    except ValueError:
        raise RequestError("invalid", f"one or several of {', '.join(Status)}", "status") from None


def _fits(query: FilterQuery, people: Sequence[Person], part: str | None, notification: Notification) -> bool:
    if part is not None and not (part and part in (find(notification.recipient.identifiers, "phone") or "")):
        return False
    pairs = (
        (query.group_id, notification.group_id),
        (query.bulk_id, notification.bulk_id),
        (query.job_id, notification.job_id),
    )
    if query.status and notification.status not in _statuses(query.status):
        return False
    if query.reason and query.reason not in {attempt.reason for attempt in notification.attempts}:
        return False
    return (
        all(wanted in {None, actual} for wanted, actual in pairs)
        and all(person.is_recipient(notification) for person in people)
        and query.channel in {None, *(step.channel for step in notification.steps)}
    )

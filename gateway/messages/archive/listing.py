"""Messages in lists: found by what callers know of them, the newest first."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from gateway.domain.api.formats import iso
from gateway.domain.api.request import Input, Name, RequestError
from gateway.domain.api.response import MessageView
from gateway.domain.model.notification import Notification, Status
from gateway.people.recipients import normal_phone
from gateway.runtime.paging import MOST, Cursor, Limit, cursor, place
from gateway.runtime.runtime import Runtime
from storage.documents.newest import Place
from storage.messages import notifications
from storage.messages.notifications import Found

SCANNED = 10 * MOST
"""Messages that are looked at for one page, however few of them are wanted."""

Moment = Annotated[datetime, Meta(tz=True)]


class FilterQuery(Input):
    """Which messages are wanted. phone: all of a number, or a part of it. from, to: when they were accepted."""

    status: Status | None = None
    channel: Name | None = None
    phone: Annotated[str, Meta(min_length=3, max_length=32)] | None = None
    external_id: Name | None = None
    group_id: Name | None = None
    bulk_id: Name | None = None
    job_id: Name | None = None
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


async def listed(runtime: Runtime, asked: FilterQuery, after: str | None, limit: int) -> Page:
    """Up to `limit` rows. Where many have to be passed over the page ends early. Raises RequestError."""
    wanted, behind, rows = _wanted(runtime, asked), place(after), list[MessageView]()
    at_once = MOST if asked.status or asked.channel or (asked.phone and not wanted.phone) else limit
    for _ in range(SCANNED // MOST):
        found = await notifications.accepted(runtime.db, wanted, behind, runtime.clock(), at_once)
        for notification in found:
            behind = Place(notification.created_at, notification.id)
            if _fits(asked, wanted, notification):
                rows.append(row(notification))
            if len(rows) == limit:
                return Page(rows, cursor(behind.at, behind.id))
        if len(found) < at_once:
            return Page(rows, None)
    return Page(rows, cursor(behind.at, behind.id) if behind else None)


async def every(runtime: Runtime, asked: FilterQuery) -> AsyncIterator[list[MessageView]]:
    """All rows, a page at a time. Raises RequestError before the first one."""
    page = await listed(runtime, asked, None, MOST)
    yield page.rows
    while page.cursor:
        page = await listed(runtime, asked, page.cursor, MOST)
        yield page.rows


def row(notification: Notification) -> MessageView:
    """A message on one line. Pure."""
    last = notification.attempts[-1] if notification.attempts else None
    return MessageView(
        id=notification.id,
        group_id=notification.group_id,
        bulk_id=notification.bulk_id,
        job_id=notification.job_id,
        phone=notification.recipient.phone,
        external_id=notification.recipient.external_id,
        status=notification.status,
        channel=notification.steps[last.step].channel if last else None,
        reason=notification.decisions[-1].text if notification.decisions else None,
        created_at=iso(notification.created_at),
        sent_at=iso(last.sent_at) if last else None,
        finished_at=iso(notification.done_at),
        part_count=notification.steps[last.step].parts if last else 0,
    )


def _wanted(runtime: Runtime, asked: FilterQuery) -> Found:
    """As much of it as the database finds by an index."""
    found = Found(asked.group_id, asked.bulk_id, asked.job_id, asked.external_id, _whole(runtime, asked.phone))
    try:
        since, until = (moment and moment.astimezone(tz=found.since.tzinfo) for moment in (asked.since, asked.until))
    except OverflowError:  # at the edges of the calendar
        raise RequestError("invalid", "there is no such moment", "from") from None
    return replace(found, since=since or found.since, until=until or found.until)


def _whole(runtime: Runtime, phone: str | None) -> str | None:
    """The number, where all of it is given."""
    try:
        return normal_phone(phone, runtime.settings.default_region) if phone else None
    except RequestError:
        return None


def _fits(asked: FilterQuery, wanted: Found, notification: Notification) -> bool:
    person = notification.recipient
    part = "".join(filter(str.isdigit, asked.phone)) if asked.phone and not wanted.phone else ""
    if asked.phone and not wanted.phone and not (part and part in (person.phone or "")):
        return False
    pairs = (
        (asked.status, notification.status),
        (asked.group_id, notification.group_id),
        (asked.bulk_id, notification.bulk_id),
        (asked.job_id, notification.job_id),
        (asked.external_id, person.external_id),
        (wanted.phone, person.phone),
    )
    return all(want in {None, has} for want, has in pairs) and asked.channel in {
        None,
        *(step.channel for step in notification.steps),
    }

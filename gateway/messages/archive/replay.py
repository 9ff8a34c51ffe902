"""Sending dead letters anew, once what was wrong is mended: each is replayed once, however often it is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import NAMESPACE_URL, uuid5

from msgspec import Meta
from msgspec.structs import replace

from gateway.domain.api.request import Destination, Input, RequestError
from gateway.domain.model.attempt import Attempt
from gateway.domain.model.notification import Notification, Recipient, lane_of
from gateway.domain.model.nouns import Progress
from gateway.messages.archive.dead_letters import DeadLettersQuery, Kind, page
from gateway.people.recipients import recipient
from gateway.runtime.paging import MOST, Cursor
from gateway.runtime.runtime import Runtime
from storage.messages import callbacks, inbox, notifications

COUNTED = 10_000
"""As many of those that are left are counted."""

Key = Annotated[str, Meta(min_length=1, max_length=1024)]


class ReplayRequest(Input):
    """What is to be sent or worked on anew: these, or all, MOST at a time. `force`: also what may have been sent."""

    kind: Kind = "messages"
    ids: Annotated[list[Key], Meta(min_length=1, max_length=MOST)] | None = None
    all: bool = False
    cursor: Cursor | None = None
    force: bool = False


class Result(StrEnum):
    REPLAYED = "replayed"
    NOT_DEAD = "notADeadLetter"
    NEEDS_FORCE = "needsForce"
    UNKNOWN = "unknown"
    NOBODY = "noRecipient"


@dataclass(frozen=True)
class Outcome:
    """What became of one. `new`: the id of the message that was made of it."""

    id: str
    result: Result
    new: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Replayed:
    """`left`: how many dead letters there are still (COUNTED: or more). `cursor`: where to go on with all of them."""

    outcomes: Sequence[Outcome]
    left: int
    cursor: str | None


async def replay(runtime: Runtime, asked: ReplayRequest) -> Replayed:
    """Send these messages, or work on these events, anew; what became of each. May be repeated. Raises RequestError."""
    if (asked.ids is None) is not asked.all:
        raise RequestError("invalid", "give either ids, or all: true", "ids")
    cursor, keys = None, asked.ids or []
    if asked.all:
        found = await page(
            runtime.db, DeadLettersQuery(kind=asked.kind, limit=MOST, cursor=asked.cursor), runtime.clock()
        )
        cursor, keys = found.cursor, [letter.id for letter in found.letters]
    if asked.kind == "events":
        outcomes = _revived(keys, await inbox.revive(runtime.db, keys, runtime.clock()))
        runtime.inbox_bell.set()
        return Replayed(outcomes, await inbox.count_dead(runtime.db, COUNTED), cursor)
    if asked.kind == "callbacks":
        outcomes = _revived(keys, await callbacks.revive(runtime.db, keys, runtime.clock()))
        runtime.callback_bell.set()
        return Replayed(outcomes, await callbacks.count_dead(runtime.db, COUNTED), cursor)
    outcomes = [await _message(runtime, key, force=asked.force) for key in keys]
    runtime.outbox_bell.set()
    return Replayed(outcomes, await notifications.count_dead(runtime.db, COUNTED), cursor)


def _revived(keys: Sequence[str], known: Mapping[str, bool]) -> list[Outcome]:
    results = {True: Result.REPLAYED, False: Result.NOT_DEAD, None: Result.UNKNOWN}
    return [Outcome(key, results[known.get(key)]) for key in keys]


async def _message(runtime: Runtime, key: str, *, force: bool) -> Outcome:
    """The new message first, then the old one's word on it: what breaks off in between is completed by a repetition."""
    old = await notifications.get(runtime.db, key)
    if old is None:
        return Outcome(key, Result.UNKNOWN)
    if old.dead_at is None or old.due_at:
        last = f"; {old.decisions[-1].text}" if old.decisions else ""
        return Outcome(key, Result.NOT_DEAD, reason=f"it is {old.status}{last}")
    if (doubt := in_doubt(old)) and not force:
        return Outcome(key, Result.NEEDS_FORCE, reason=doubt)
    try:
        _, person = await recipient(runtime, _named(old.recipient))
    except RequestError as error:
        return Outcome(key, Result.NOBODY, reason=error.message)
    now = runtime.clock()
    new = anew(old, person, now, runtime.clock.ordinal())
    await notifications.add(runtime.db, [new])
    await notifications.change(runtime.db, key, lambda found: _told(found, new.id, now))
    return Outcome(key, Result.REPLAYED, new.id)


def anew(old: Notification, person: str, now: datetime, ordinal: int) -> Notification:
    """A new message of the same content and terms, valid for as long as the old one was, from now. Pure.

    Its id comes from the old one's alone: the old one may change meanwhile, or even die again of a late receipt, and
    must not be sent a third time. A bot's answer is no answer any more: it does not reach people who have stopped.
    """
    return Notification(
        uuid5(NAMESPACE_URL, f"replay:{old.id}").hex,
        old.recipient,
        old.steps,
        created_at=now,
        expires_at=now + (old.expires_at - (old.send_at or old.created_at)),
        due_at=now,
        hours=old.hours,
        priority=old.priority,
        accepted=ordinal,
        person=person,
        repeats=old.repeats,
        marketing=old.marketing,
        bulk_id=old.bulk_id,
        group_id=old.group_id,
        callback_data=old.callback_data,
        callback=old.callback,
        replay_of=old.id,
        lane=lane_of(old.priority),
    )


def _named(whom: Recipient) -> Destination:
    return Destination(
        phone=whom.phone, contact_id=whom.contact, external_id=whom.external_id, chat_session_id=whom.session
    )


def in_doubt(old: Notification) -> str:
    """What of it may have reached the person, in words; "" if certainly nothing has. Pure."""
    doubts = ((old.steps[attempt.step].channel, _doubt(attempt)) for attempt in old.attempts)
    return "; ".join(f"{channel}: {doubt}" for channel, doubt in doubts if doubt)


def _doubt(attempt: Attempt) -> str:
    if attempt.progress in {Progress.SENT, Progress.DELIVERED, Progress.READ}:
        return "it was sent"
    if any(part.progress is not Progress.FAILED for part in attempt.parts):
        return "a part of it was sent"
    unsure = attempt.unsure_from and not attempt.parts
    return "it may have been sent" if unsure or attempt.progress is Progress.UNKNOWN else ""


def _told(old: Notification, new: str, now: datetime) -> Notification | None:
    return replace(old.saying(now, f"replayed as {new}"), dead_at=None) if old.dead_at else None

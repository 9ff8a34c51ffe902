"""Replay: dead letters are sent or worked on again, each once, however often that is requested."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from gateway.domain.api.request import Input, RequestError
from gateway.domain.model.attempt import Attempt
from gateway.domain.model.notification import Notification, lane_of
from gateway.domain.model.nouns import Progress
from gateway.messages.archive.dead_letters import DeadLettersQuery, Kind, page
from gateway.messages.delivery import recording, repeats
from gateway.messages.delivery.repeats import repetition_of
from gateway.people.recipients import person_of
from gateway.runtime.paging import MOST, Cursor
from gateway.runtime.runtime import Runtime
from storage.messages import callbacks, inbox, notifications

REPEATED = REPLAYED, ANEW = "replayed as", "sent anew as"
"""With what the decision begins that names the message which says the same anew."""

COUNTED = 10_000
"""Dead letters that are counted at most."""

Key = Annotated[str, Meta(min_length=1, max_length=1024)]


class ReplayRequest(Input):
    """Which dead letters to replay: those of `ids`, or all, MOST at a time.

    cursor: where to go on with all of them. force: replay also what may have been sent.
    """

    kind: Kind = "messages"
    ids: Annotated[list[Key], Meta(min_length=1, max_length=MOST)] | None = None
    all: bool = False
    cursor: Cursor | None = None
    force: bool = False


class Result(StrEnum):
    """What became of one dead letter."""

    REPLAYED = "replayed"
    NOT_DEAD = "notADeadLetter"
    NEEDS_FORCE = "needsForce"
    UNKNOWN = "unknown"
    NOBODY = "noRecipient"


@dataclass(frozen=True)
class Outcome:
    """The result for one dead letter. new: the id of the message that replays it."""

    id: str
    result: Result
    new: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class ReplayReport:
    """The results of a replay.

    left: how many dead letters remain; COUNTED stands for that many or more. cursor: where to go on with all of them.
    """

    outcomes: Sequence[Outcome]
    left: int
    cursor: str | None


async def replay(runtime: Runtime, request: ReplayRequest) -> ReplayReport:
    """Replay dead letters and return what became of each. It may be repeated. Raises RequestError."""
    if (request.ids is None) is not request.all:
        raise RequestError("invalid", "give either ids, or all: true", "ids")
    cursor, keys = None, request.ids or []
    if request.all:
        letters = await page(
            runtime.db, DeadLettersQuery(kind=request.kind, limit=MOST, cursor=request.cursor), runtime.clock()
        )
        cursor, keys = letters.cursor, [letter.id for letter in letters.letters]
    if request.kind == "events":
        outcomes = _outcomes(keys, await inbox.revive(runtime.db, keys, runtime.clock()))
        runtime.inbox_bell.set()
        return ReplayReport(outcomes, await inbox.count_dead(runtime.db, COUNTED), cursor)
    if request.kind == "callbacks":
        outcomes = _outcomes(keys, await callbacks.revive(runtime.db, keys, runtime.clock()))
        runtime.callback_bell.set()
        return ReplayReport(outcomes, await callbacks.count_dead(runtime.db, COUNTED), cursor)
    outcomes = [await _replay_message(runtime, key, force=request.force) for key in keys]
    runtime.outbox_bell.set()
    return ReplayReport(outcomes, await notifications.count_dead(runtime.db, COUNTED), cursor)


def _outcomes(keys: Sequence[str], revived: Mapping[str, bool]) -> list[Outcome]:
    results = {True: Result.REPLAYED, False: Result.NOT_DEAD, None: Result.UNKNOWN}
    return [Outcome(key, results[revived.get(key)]) for key in keys]


async def _replay_message(runtime: Runtime, key: str, *, force: bool) -> Outcome:
    """Store the new message first and mark the old one then: a repetition completes what breaks off in between."""
    old = await notifications.get(runtime.db, key)
    if old is None:
        return Outcome(key, Result.UNKNOWN)
    if old.dead_at is None or old.due_at:
        last = f"; {old.decisions[-1].text}" if old.decisions else ""
        return Outcome(key, Result.NOT_DEAD, reason=f"it is {old.status}{last}")
    return await _repeat(runtime, old, REPLAYED, force=force)


async def send_anew(runtime: Runtime, key: str, *, force: bool) -> Outcome:
    """Send what a message said that has ended, as a new one; by a repetition it is sent no third time.

    force: also what may have reached the person.
    """
    old = await notifications.get(runtime.db, key)
    if old is None:
        return Outcome(key, Result.UNKNOWN)
    if not has_ended(old):
        return Outcome(key, Result.NOT_DEAD, reason=f"it is {old.status}")
    outcome = await _repeat(runtime, old, ANEW, force=force)
    runtime.outbox_bell.set()
    return outcome


def has_ended(message: Notification) -> bool:
    """Tell whether nothing is left to be done for a message, although receipts may still come. Pure."""
    return message.due_at is None or message.tried_at is not None


async def _repeat(runtime: Runtime, old: Notification, word: str, *, force: bool) -> Outcome:
    if (doubt := describe_doubt(old)) and not force:
        return Outcome(old.id, Result.NEEDS_FORCE, reason=doubt)
    try:
        person = await person_of(runtime, old.recipient)
    except RequestError as error:
        return Outcome(old.id, Result.NOBODY, reason=error.message)
    now = runtime.clock()
    new = build_replay(old, person, now, runtime.clock.ordinal())
    if not await repeats.claim(runtime, old.id, new.id, force=force):
        return Outcome(old.id, Result.NEEDS_FORCE, reason="somebody else sends it anew")
    await recording.add(runtime.db, [new])
    await repeats.finish(runtime, old.id, f"{word} {new.id}", now)
    return Outcome(old.id, Result.REPLAYED, new.id)


def build_replay(old: Notification, person: str, now: datetime, ordinal: int) -> Notification:
    """Return a new message of the same content and terms, valid from now for as long as the old one was. Pure.

    Its id is derived from the old one's alone: the old one may change meanwhile, or even die again of a late receipt,
    and must not be sent a third time. The replay of a bot's answer is no reply any more, so it does not reach people
    who have stopped.
    """
    return Notification(
        repetition_of(old.id),
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


def describe_doubt(old: Notification) -> str:
    """Describe what of a message may have reached the person, by another repetition too; "" if nothing has. Pure."""
    other = old.repeated_as if old.repeated_as != repetition_of(old.id) else None
    doubts = ((old.steps[attempt.step].channel, _doubt(attempt)) for attempt in old.attempts)
    words = [f"{channel}: {doubt}" for channel, doubt in doubts if doubt]
    return "; ".join([f"its job has sent it anew as {other}", *words] if other else words)


def _doubt(attempt: Attempt) -> str:
    if attempt.progress in {Progress.SENT, Progress.DELIVERED, Progress.READ}:
        return "it was sent"
    if any(part.progress is not Progress.FAILED for part in attempt.parts):
        return "a part of it was sent"
    unsure = attempt.unsure_from and not attempt.parts
    return "it may have been sent" if unsure or attempt.progress is Progress.UNKNOWN else ""

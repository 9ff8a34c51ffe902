"""Dead letters: messages that failed for a reason that somebody can fix, and events and callbacks out of tries.

Dead messages have ended UNDELIVERED, EXPIRED or ERROR. Dead letters are kept for as long as everything that has ended.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.domain.api.request import Input
from gateway.domain.model.attempt import Attempt
from gateway.domain.model.job import Reason
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress
from gateway.messages.jobs.reasons import reason_of
from gateway.runtime.paging import Cursor, Limit, cursor, place
from storage.documents.documents import Db
from storage.documents.queue import EPOCH
from storage.messages import callbacks, inbox, notifications

Kind = Literal["messages", "events", "callbacks"]


class DeadLettersQuery(Input):
    """Which page is requested. cursor: the one that the page before gave."""

    kind: Kind = "messages"
    limit: Limit = 50
    cursor: Cursor | None = None


@dataclass(frozen=True)
class Letter:
    """A dead letter.

    what: the status of a message, the kind of an event, or the URL of a callback. tries: how often it was tried.
    cause: what it failed of, in the same words for all that failed alike. failed: why a message did, as a job says it.
    """

    id: str
    at: datetime
    what: str
    why: str
    tries: int
    channels: tuple[str, ...]
    cause: str = ""
    failed: Reason | None = None


@dataclass(frozen=True)
class Page:
    """A page of dead letters. cursor: that of the next page; None on the last one."""

    letters: Sequence[Letter]
    cursor: str | None


async def page(db: Db, query: DeadLettersQuery, now: datetime) -> Page:
    """Return a page of dead letters, the newest first. Raises RequestError."""
    after = place(query.cursor)
    if query.kind == "events":
        letters = [event_letter(event) for event in await inbox.dead(db, after, now, query.limit)]
    elif query.kind == "callbacks":
        letters = [callback_letter(call) for call in await callbacks.dead(db, after, now, query.limit)]
    else:
        letters = [message_letter(message) for message in await notifications.dead(db, after, now, query.limit)]
    return Page(letters, cursor(letters[-1].at, letters[-1].id) if len(letters) == query.limit else None)


def message_letter(message: Notification) -> Letter:
    """Return a dead message as a letter. Pure."""
    attempts = [attempt for attempt in message.attempts if attempt.progress is not Progress.SKIPPED]
    return Letter(
        message.id,
        message.dead_at or EPOCH,
        message.status,
        _why(message),
        sum(max(attempt.tries, 1) for attempt in attempts) + message.mistakes,
        tuple(dict.fromkeys(step.channel for step in message.steps)),
        alike("; ".join(_reasons(message)) or _why(message)),
        reason_of(message),
    )


def event_letter(dead: inbox.Dead) -> Letter:
    """Return a dead event as a letter. Pure."""
    event = dead.event
    return Letter(
        dead.id,
        dead.dead_at,
        str(event.__struct_config__.tag),
        dead.reason,
        dead.tries,
        (event.channel,),
        alike(dead.reason),
    )


def callback_letter(call: callbacks.Call) -> Letter:
    """Return a dead callback as a letter. Pure."""
    return Letter(
        call.id, call.dead_at or EPOCH, call.url.partition("?")[0], call.reason, call.tries + 1, (), alike(call.reason)
    )


def alike(reason: str) -> str:
    """Return a reason without what is a single letter's own: long numbers and ids. Pure."""
    return OWN.sub("…", reason)[:LONGEST_CAUSE]


OWN = re.compile(r"\b[0-9a-f]{16,}\b|\+?\d{6,}")
LONGEST_CAUSE = 300


def _why(message: Notification) -> str:
    """Return the providers' reasons, and the last decision; without reasons, the last two decisions."""
    reasons = _reasons(message)
    decisions = [decision.text for decision in message.decisions[-2:]]
    return "; ".join(dict.fromkeys([*reasons, *decisions[-1:]] if reasons else decisions))


def _reasons(message: Notification) -> list[str]:
    reasons = (_reason(message, attempt) for attempt in message.attempts if attempt.cause and attempt.reason)
    return list(dict.fromkeys(reasons))


def _reason(message: Notification, attempt: Attempt) -> str:
    return f"{message.steps[attempt.step].channel}: {attempt.reason}"

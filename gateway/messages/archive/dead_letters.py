"""Dead letters: messages that ended UNDELIVERED, EXPIRED or ERROR for a reason that somebody could mend, and events
that could not be worked on after all their tries. They are kept for as long as everything that is finished.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.domain.api.request import Input
from gateway.domain.model.attempt import Attempt
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress
from gateway.runtime.paging import Cursor, Limit, cursor, place
from storage.documents.documents import Db
from storage.documents.queue import EPOCH
from storage.messages import callbacks, inbox, notifications

Kind = Literal["messages", "events", "callbacks"]


class DeadLettersQuery(Input):
    """Which page is wanted. `cursor` is what the page before it gave."""

    kind: Kind = "messages"
    limit: Limit = 50
    cursor: Cursor | None = None


@dataclass(frozen=True)
class Letter:
    """`what`: the status that the message ended in, or the kind of event. tries: how often it was tried."""

    id: str
    at: datetime
    what: str
    why: str
    tries: int
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """`cursor` leads to the next page; None: this is the last."""

    letters: Sequence[Letter]
    cursor: str | None


async def page(db: Db, asked: DeadLettersQuery, now: datetime) -> Page:
    """Dead letters, the newest first. Raises RequestError."""
    after = place(asked.cursor)
    if asked.kind == "events":
        letters = [of_event(event) for event in await inbox.dead(db, after, now, asked.limit)]
    elif asked.kind == "callbacks":
        letters = [of_call(call) for call in await callbacks.dead(db, after, now, asked.limit)]
    else:
        letters = [of_message(message) for message in await notifications.dead(db, after, now, asked.limit)]
    return Page(letters, cursor(letters[-1].at, letters[-1].id) if len(letters) == asked.limit else None)


def of_message(message: Notification) -> Letter:
    """A dead message as a letter. Pure."""
    tried = [attempt for attempt in message.attempts if attempt.progress is not Progress.SKIPPED]
    return Letter(
        message.id,
        message.dead_at or EPOCH,
        message.status,
        _why(message),
        sum(max(attempt.tries, 1) for attempt in tried) + message.mistakes,
        tuple(dict.fromkeys(step.channel for step in message.steps)),
    )


def of_event(dead: inbox.Dead) -> Letter:
    """A dead event as a letter. Pure."""
    event = dead.event
    return Letter(dead.id, dead.dead_at, str(event.__struct_config__.tag), dead.reason, dead.tries, (event.channel,))


def of_call(call: callbacks.Call) -> Letter:
    """A call to a caller's address that nobody took, as a letter. Pure."""
    return Letter(call.id, call.dead_at or EPOCH, call.url.partition("?")[0], call.reason, call.tries + 1, ())


def _why(message: Notification) -> str:
    """What the providers said; if nobody was asked, the last that was decided before the end."""
    said = [_said(message, attempt) for attempt in message.attempts if attempt.cause and attempt.reason]
    decided = [decision.text for decision in message.decisions[-2:]]
    return "; ".join(dict.fromkeys([*said, *decided[-1:]] if said else decided))


def _said(message: Notification, attempt: Attempt) -> str:
    return f"{message.steps[attempt.step].channel}: {attempt.reason}"

"""Dead letters: messages that ended UNDELIVERED, EXPIRED or ERROR for a reason that somebody could mend, and events
that could not be worked on after all their tries. They are kept for as long as everything that is finished.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta

from gateway.attempt import Attempt
from gateway.model import Personal, Progress
from gateway.notification import Notification
from gateway.request import Asked, RequestError
from storage import inbox, notifications
from storage.database import Db
from storage.dead import Place
from storage.queue import EPOCH

MOST = 200
"""Letters on a page."""

Kind = Literal["messages", "events"]
Cursor = Annotated[str, Meta(min_length=1, max_length=2048)]


class AskedPage(Asked):
    """Which page is wanted. `cursor` is what the page before it gave."""

    kind: Kind = "messages"
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 50
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


async def page(db: Db, asked: AskedPage, now: datetime) -> Page:
    """Dead letters, the newest first. Raises RequestError."""
    after = _place(asked.cursor) if asked.cursor else None
    if asked.kind == "events":
        letters = [of_event(event) for event in await inbox.dead(db, after, now, asked.limit)]
    else:
        letters = [of_message(message) for message in await notifications.dead(db, after, now, asked.limit)]
    return Page(letters, _cursor(letters[-1]) if len(letters) == asked.limit else None)


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
    channel = event.address.channel if isinstance(event, Personal) else event.channel
    return Letter(dead.id, dead.dead_at, str(event.__struct_config__.tag), dead.reason, dead.tries, (channel,))


def _why(message: Notification) -> str:
    """What the providers said; if nobody was asked, the last that was decided before the end."""
    said = [_said(message, attempt) for attempt in message.attempts if attempt.cause and attempt.reason]
    decided = [decision.text for decision in message.decisions[-2:]]
    return "; ".join(dict.fromkeys([*said, *decided[-1:]] if said else decided))


def _said(message: Notification, attempt: Attempt) -> str:
    return f"{message.steps[attempt.step].channel}: {attempt.reason}"


def _cursor(letter: Letter) -> str:
    milliseconds = (letter.at - EPOCH) // timedelta(milliseconds=1)
    return base64.urlsafe_b64encode(f"{milliseconds} {letter.id}".encode()).decode()


def _place(cursor: str) -> Place:
    try:
        milliseconds, _, key = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        return Place(EPOCH + timedelta(milliseconds=int(milliseconds)), key)
    except (ValueError, OverflowError):
        raise RequestError("invalid", "this is no cursor that a page gave", "cursor") from None

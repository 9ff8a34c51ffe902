"""The chat of a conversation: its lines as bubbles, with what became of each, and what has not left yet."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gateway.domain.api.formats import STEP_STATUS
from gateway.domain.model.message_template import MessageTemplate, fill
from gateway.domain.model.notification import Notification, Priority, Status
from gateway.domain.model.nouns import Media, Message, Progress, Session, TemplateMessage, template_key
from gateway.runtime.paging import cursor, place
from storage.messages import chat_log, notifications
from storage.messages.notifications import IndexQuery, Person
from storage.templates import approved
from webhooks.http.context import runtime
from webhooks.pages.words import zone

LINES = 50
"""Lines of a chat that are shown at once."""

WAITING = 20
"""The latest messages of ours that are looked at for those that have not left, or never will."""

LONGEST, LONGEST_DATA = 10_000, 4_000
"""Characters of a text, and of what was sent to programs, that are shown: no messenger lets people write more."""

FAILED = frozenset({Status.UNDELIVERED, Status.EXPIRED, Status.ERROR})
NEVER_LEFT = FAILED | {Status.NEW, Status.SCHEDULED, Status.DELAYED, Status.PENDING}


@dataclass(frozen=True)
class Bubble:
    """One message of a chat.

    line: its id in the log. template: the name of an approved one. status: of a message of ours, as the API calls it.
    message: the id of the message behind it. reason: why it failed. day: the first of its day. new: the first one that
    nobody had seen.
    """

    line: str
    at: datetime
    out: bool
    text: str = ""
    files: Sequence[Media] = ()
    data: str = ""
    buttons: Sequence[str] = ()
    template: str = ""
    who: str = ""
    edited: bool = False
    status: str = ""
    message: str | None = None
    reason: str = ""
    day: date | None = None
    new: bool = False

    @property
    def failed(self) -> bool:
        """Return whether it did not reach the person, as far as is known."""
        return self.status == "UNDELIVERED"


@dataclass(frozen=True)
class Chat:
    """A page of a chat, the oldest line first. new: how many lines nobody had seen. older: the cursor of older ones."""

    bubbles: Sequence[Bubble]
    new: int
    older: str | None


async def chat(session: Session, after: str | None, since: datetime | None) -> Chat:
    """Return a page of a chat. since: from when on lines are new. Raises RequestError."""
    db, now = runtime().db, runtime().clock()
    lines, waiting = await asyncio.gather(
        chat_log.of_session(db, session.id, place(after), now, LINES), _waiting(session) if not after else _nothing()
    )
    messages = await notifications.several(db, [line.notification for line in lines if line.notification])
    texts = await _template_texts(session, [line.template for line in lines if line.template])
    shown = [_bubble(line, messages.get(line.notification or ""), texts) for line in lines if not _is_rest(line)]
    oldest = min((line.at for line in lines), default=None) if len(lines) == LINES else None
    shown += [each for each in waiting if each.message not in messages and (oldest is None or each.at >= oldest)]
    bubbles, new = _marked(sorted(shown, key=lambda bubble: bubble.at), since)
    older = cursor(lines[-1].at, lines[-1].id) if len(lines) == LINES else None
    return Chat(bubbles, new, older)


async def _nothing() -> list[Bubble]:
    return []


async def _waiting(session: Session) -> list[Bubble]:
    """Return what was written in this conversation and has not left, or was refused: the log does not have it."""
    to = IndexQuery(person=Person(sessions=(session.id,)))
    latest = await notifications.page(runtime().db, to, None, runtime().clock(), WAITING)
    return [_unsent(each) for each in latest if each.status in NEVER_LEFT]


def _unsent(message: Notification) -> Bubble:
    step, last = message.steps[0], message.attempts[-1] if message.attempts else None
    content, failed = step.content, message.status in FAILED
    return Bubble(
        message.id,
        message.created_at,
        out=True,
        text=content.text[:LONGEST] if content else "",
        files=[content.media] if content and content.media else [],
        buttons=[button.text for button in content.buttons] if content else [],
        template=_name(step.template) if step.template and not content else "",
        who=_author(message),
        status="UNDELIVERED" if failed else STEP_STATUS[last.progress] if last else "PENDING",
        message=message.id,
        reason=_reason(message) if failed else "",
    )


def _bubble(line: Message, message: Notification | None, texts: Mapping[str, MessageTemplate]) -> Bubble:
    content, template = line.content, line.template
    attempt = message.attempts[line.attempt] if message and line.attempt < len(message.attempts) else None
    stored = texts.get(_name(template)) if template else None
    failed = attempt is not None and attempt.progress is Progress.FAILED
    return Bubble(
        line.id,
        line.at,
        line.outbound,
        text=_text(line, stored)[:LONGEST],
        files=[file for file in (content.media, *content.others) if file] if content else [],
        data=_data(content.data) if content else "",
        buttons=[button.text for button in content.buttons] if content else [],
        template=_name(template) if template else "",
        who=line.by or line.author,
        edited=line.edited,
        status=STEP_STATUS[attempt.progress] if attempt else "",
        message=line.notification if message else None,
        reason=attempt.reason if attempt and failed else "",
    )


def _text(line: Message, stored: MessageTemplate | None) -> str:
    if line.template:
        return fill(stored.body, line.template.values) if stored else ""
    return line.content.text if line.content else ""


def _data(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1, default=str)[:LONGEST_DATA] if data else ""


def _is_rest(line: Message) -> bool:
    """Tell whether a line is a further piece of a message, whose first piece shows all that was said."""
    return bool(line.part) and line.content is None


def _author(message: Notification) -> str:
    return "" if message.priority is Priority.REPLY else message.operator


def _reason(message: Notification) -> str:
    last = message.attempts[-1].reason if message.attempts else ""
    return last or (message.decisions[-1].text if message.decisions else "")


def _name(template: TemplateMessage) -> str:
    return f"{template.name} / {template.language}"


async def _template_texts(session: Session, used: Iterable[TemplateMessage]) -> Mapping[str, MessageTemplate]:
    """Return the contents of the templates that were used, as far as we have them, by their names."""
    keys = {_name(each): template_key(session.address.channel, session.address.account, each) for each in used}
    found = await asyncio.gather(*(approved.get(runtime().db, key) for key in keys.values()))
    return {name: template for name, template in zip(keys, found, strict=True) if template}


def _marked(bubbles: Sequence[Bubble], since: datetime | None) -> tuple[list[Bubble], int]:
    """Return the bubbles with the first of each day and the first new one marked, and how many are new."""
    marked, day, new = list[Bubble](), None, 0
    for bubble in bubbles:
        today = bubble.at.astimezone(zone()).date()
        is_new = since is not None and not bubble.out and bubble.at >= since
        marked.append(replace(bubble, day=today if today != day else None, new=is_new and new == 0))
        day, new = today, new + is_new
    return marked, new

"""The chat of a conversation: its lines as bubbles, with what became of each, and what has not left yet."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.conversations.person import Terms
from gateway.conversations.repeating import FAILED, repetition
from gateway.domain.model.message_template import MessageTemplate
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Message, Session, TemplateMessage, template_key
from gateway.runtime.paging import cursor, place
from storage.messages import chat_log, notifications
from storage.messages.notifications import IndexQuery, Person
from storage.templates import approved
from webhooks.http.context import runtime
from webhooks.pages.conversations.bubbles import (
    Bubble,
    Known,
    bubble_of_line,
    bubble_unsent,
    name_of_template,
)
from webhooks.pages.conversations.files import stored_files
from webhooks.pages.words import zone

LINES = 50
"""Lines of a chat that are shown at once."""

WAITING = 20
"""The latest messages of ours that are looked at for those that have not left, or never will."""

NEVER_LEFT = FAILED | {Status.NEW, Status.SCHEDULED, Status.DELAYED, Status.PENDING}


@dataclass(frozen=True)
class Chat:
    """A page of a chat, the oldest line first. new: how many lines nobody had seen. older: the cursor of older ones."""

    bubbles: Sequence[Bubble]
    new: int
    older: str | None


async def chat(session: Session, after: str | None, since: datetime | None, taken: Terms) -> Chat:
    """Return a page of a chat. since: from when on lines are new. taken: what may be sent now. Raises RequestError."""
    lines, waiting = await asyncio.gather(
        chat_log.of_session(runtime().db, session.id, place(after), runtime().clock(), LINES),
        _waiting(session) if not after else _nothing(),
    )
    known = await _known(session, lines, waiting, taken)
    oldest = min((line.at for line in lines), default=None) if len(lines) == LINES else None
    unsent = [each for each in waiting if each.id not in known.messages and (not oldest or each.created_at >= oldest)]
    shown = [bubble_of_line(line, known) for line in lines if not _is_rest(line)]
    shown += [bubble_unsent(each, known) for each in unsent]
    bubbles, new = _marked(sorted(shown, key=lambda bubble: bubble.at), since)
    older = cursor(lines[-1].at, lines[-1].id) if len(lines) == LINES else None
    return Chat(bubbles, new, older)


async def _nothing() -> list[Notification]:
    return []


async def _waiting(session: Session) -> list[Notification]:
    """Return what was written in this conversation and has not left, or was refused: the log does not have it."""
    to = IndexQuery(person=Person(sessions=(session.id,)))
    latest = await notifications.page(runtime().db, to, None, runtime().clock(), WAITING)
    return [each for each in latest if each.status in NEVER_LEFT]


async def _known(session: Session, lines: Sequence[Message], waiting: Sequence[Notification], taken: Terms) -> Known:
    ours = [line.notification for line in lines if line.notification]
    messages, templates, files = await asyncio.gather(
        notifications.several(runtime().db, ours),
        _templates(session, [line.template for line in lines if line.template]),
        stored_files(lines, [each.steps[0].content for each in waiting]),
    )
    every = {each.id: each for each in (*messages.values(), *waiting)}
    repeatable = frozenset(key for key, each in every.items() if repetition(each, session.address, taken))
    return Known(messages, templates, files, repeatable)


async def _templates(session: Session, used: Iterable[TemplateMessage]) -> Mapping[str, MessageTemplate]:
    """Return the contents of the templates that were used, as far as we have them, by their names."""
    address = session.address
    keys = {name_of_template(each): template_key(address.channel, address.account, each) for each in used}
    found = await asyncio.gather(*(approved.get(runtime().db, key) for key in keys.values()))
    return {name: template for name, template in zip(keys, found, strict=True) if template}


def _is_rest(line: Message) -> bool:
    """Tell whether a line is a further piece of a message, whose first piece shows all that was said."""
    return bool(line.part) and line.content is None


def _marked(bubbles: Sequence[Bubble], since: datetime | None) -> tuple[list[Bubble], int]:
    """Return the bubbles with the first of each day and the first new one marked, and how many are new."""
    marked, day, new = list[Bubble](), None, 0
    for bubble in bubbles:
        today = bubble.at.astimezone(zone()).date()
        is_new = since is not None and not bubble.out and bubble.at >= since
        marked.append(replace(bubble, day=today if today != day else None, new=is_new and new == 0))
        day, new = today, new + is_new
    return marked, new

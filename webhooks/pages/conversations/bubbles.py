"""The bubbles of a chat: what was said in each, by whom, and what became of it."""

import json
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway.conversations.repeating import FAILED
from gateway.domain.api.formats import STEP_STATUS
from gateway.domain.model.message_template import MessageTemplate, fill
from gateway.domain.model.notification import Notification, Priority
from gateway.domain.model.nouns import Message, Progress, TemplateMessage
from webhooks.pages.conversations.files import ShownFile, Stored, files_of_line, files_unsent

LONGEST, LONGEST_DATA = 10_000, 4_000
"""Characters of a text, and of what was sent to programs, that are shown: no messenger lets people write more."""

OPENED = re.compile(r"^(/start) [\w-]{1,64}$")
"""What a messenger sends for a person who comes by a link: its code says nothing to people."""


@dataclass(frozen=True)
class Bubble:
    """One message of a chat.

    line: its id in the log. template: the name of an approved one. status: of a message of ours, in the API's words.
    message: the id of the message behind it. again: whether it can be sent again here now. reason: why it failed.
    day: the first of its day. new: the first one that nobody had seen.
    """

    line: str
    at: datetime
    out: bool
    text: str = ""
    files: Sequence[ShownFile] = ()
    data: str = ""
    buttons: Sequence[str] = ()
    template: str = ""
    who: str = ""
    edited: bool = False
    status: str = ""
    message: str | None = None
    again: bool = False
    reason: str = ""
    day: date | None = None
    new: bool = False

    @property
    def failed(self) -> bool:
        """Return whether it did not reach the person, as far as is known."""
        return self.status == "UNDELIVERED"


@dataclass(frozen=True)
class Known:
    """What is known besides the log: messages by their ids, templates by their names, files by their ids.

    repeatable: the ids of messages that did not arrive, and could be sent again here now.
    """

    messages: Mapping[str, Notification]
    templates: Mapping[str, MessageTemplate]
    files: Stored
    repeatable: AbstractSet[str]


def bubble_of_line(line: Message, known: Known) -> Bubble:
    """Return the bubble of a line of the log."""
    content, template, message = line.content, line.template, known.messages.get(line.notification or "")
    attempt = message.attempts[line.attempt] if message and line.attempt < len(message.attempts) else None
    failed = attempt is not None and attempt.progress is Progress.FAILED
    return Bubble(
        line.id,
        line.at,
        line.outbound,
        text=_text(line, known)[:LONGEST],
        files=files_of_line(line, known.files),
        data=_data(content.data) if content else "",
        buttons=[button.text for button in content.buttons] if content else [],
        template=name_of_template(template) if template else "",
        who=line.by or line.author,
        edited=line.edited,
        status=STEP_STATUS[attempt.progress] if attempt else "",
        message=line.notification if message else None,
        again=line.notification in known.repeatable,
        reason=attempt.reason if attempt and failed else "",
    )


def bubble_unsent(message: Notification, known: Known) -> Bubble:
    """Return the bubble of a message that has not left, or never will."""
    step, last = message.steps[0], message.attempts[-1] if message.attempts else None
    content, failed = step.content, message.status in FAILED
    return Bubble(
        message.id,
        message.created_at,
        out=True,
        text=content.text[:LONGEST] if content else "",
        files=files_unsent(content, None if content else step.template, known.files),
        buttons=[button.text for button in content.buttons] if content else [],
        template=name_of_template(step.template) if step.template and not content else "",
        who="" if message.priority is Priority.REPLY else message.operator,
        status="UNDELIVERED" if failed else STEP_STATUS[last.progress] if last else "PENDING",
        message=message.id,
        again=message.id in known.repeatable,
        reason=_reason(message) if failed else "",
    )


def name_of_template(template: TemplateMessage) -> str:
    """Return the name and the language of an approved template."""
    return f"{template.name} / {template.language}"


def _text(line: Message, known: Known) -> str:
    if line.template:
        stored = known.templates.get(name_of_template(line.template))
        return fill(stored.body, line.template.values) if stored else ""
    text = line.content.text if line.content else ""
    return text if line.outbound else OPENED.sub(r"\1", text)


def _data(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1, default=str)[:LONGEST_DATA] if data else ""


def _reason(message: Notification) -> str:
    last = message.attempts[-1].reason if message.attempts else ""
    return last or (message.decisions[-1].text if message.decisions else "")

"""What Meta's server refuses, and what a phone shows of the rest. Cloud API: Messages, Error codes."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from bots.whatsapp.simulator.components import Fault, Template, find_mismatch, template_view
from bots.whatsapp.simulator.types import (
    Choice,
    LinkAction,
    LinkChoice,
    ListChoice,
    Message,
    ReplyButtons,
    Rows,
    Section,
)
from gateway.domain.model.nouns import Button

Templates = Mapping[tuple[str, str], Template]


def read(request: object, templates: Templates) -> Message | Fault:
    """Return the message, or the fault for which Meta refuses it."""
    try:
        message = msgspec.convert(request, Message)
    except msgspec.ValidationError as error:
        return Fault(_code(str(error)), str(error))
    return _missing_part(message) or _template_fault(message, templates) or _repeated_ids(message) or message


def _code(problem: str) -> int:
    if "missing required field" in problem:
        return 131008
    return 100 if "unknown field" in problem or "$.type" in problem else 131009


def _missing_part(message: Message) -> Fault | None:
    if not (message.to or message.recipient):
        return Fault(131008, "to or recipient is required")
    if getattr(message, message.type) is None:
        return Fault(131008, f"{message.type} is required")
    if message.file and bool(message.file.id) == bool(message.file.link):
        return Fault(131008, "either id or link is required")
    return None


def _repeated_ids(message: Message) -> Fault | None:
    match message.interactive:
        case Choice(action=ReplyButtons(buttons=buttons)):
            names = [button.reply.id for button in buttons]
        case ListChoice(action=Rows(sections=[Section(rows=rows)])):
            names = [row.id for row in rows]
        case _:
            return None
    return Fault(131009, "the ids are not unique") if len({*names}) < len(names) else None


def _template_fault(message: Message, templates: Templates) -> Fault | None:
    use = message.template
    if use is None:
        return None
    template = templates.get((use.name, use.language.code))
    if template is None:
        return Fault(132001, f"template name ({use.name}) does not exist in {use.language.code}")
    status = template.get("status", "APPROVED")
    if status not in SENDABLE:
        return Fault(NOT_SENDABLE.get(status, 132001), f"the template is {status}")
    return find_mismatch(use, template)


SENDABLE = {"APPROVED", "FLAGGED", "REINSTATED", "UNARCHIVED"}
NOT_SENDABLE = {"PAUSED": 132015, "DISABLED": 132016, "REJECTED": 132007}


class PhoneView(NamedTuple):
    """What a phone shows of a message."""

    text: str
    buttons: list[Button]
    media: str


def phone_view(message: Message, templates: Templates) -> PhoneView:
    """Return the message as the person sees it; a template has its values filled in."""
    if message.template:
        use = message.template
        return PhoneView(*template_view(use, templates[use.name, use.language.code]))
    match message.interactive:
        case Choice(body=body, action=ReplyButtons(buttons=replies)):
            return PhoneView(body.text, [Button(key.reply.title, reply=key.reply.id) for key in replies], "")
        case ListChoice(body=body, action=Rows(sections=sections)):
            rows = [row for section in sections for row in section.rows]
            return PhoneView(body.text, [Button(row.title, reply=row.id) for row in rows], "")
        case LinkChoice(body=body, action=LinkAction(parameters=link)):
            return PhoneView(body.text, [Button(link.display_text, url=link.url)], "")
    if file := message.file:
        return PhoneView(getattr(file, "caption", ""), [], file.link or file.id or "")
    return PhoneView(message.text.body if message.text else "", [], "")

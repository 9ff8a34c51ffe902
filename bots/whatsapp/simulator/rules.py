"""What Meta's server refuses, and what a phone shows of the rest. Cloud API: Messages, Error codes."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from bots.whatsapp.simulator.components import Fault, Template, find_mismatch, template_view
from bots.whatsapp.simulator.types.interactive import (
    Choice,
    Interactive,
    LinkChoice,
    ListChoice,
    LocationRequest,
    TextHeader,
)
from bots.whatsapp.simulator.types.message import Message
from bots.whatsapp.simulator.types.template_use import in_small_letters
from gateway.domain.model.nouns import Button

Templates = Mapping[tuple[str, str], Template]
MAX_ROWS = 10


def read(request: object, templates: Templates) -> Message | Fault:
    """Return the message, or the fault for which Meta refuses it."""
    if isinstance(request, dict) and isinstance(use := request.get("template"), dict):
        request = {**request, "template": in_small_letters(use)}
    try:
        message = msgspec.convert(request, Message)
    except msgspec.ValidationError as error:
        return Fault(_code(str(error)), str(error))
    return _missing_part(message) or _template_fault(message, templates) or _repetition(message) or message


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


def _repetition(message: Message) -> Fault | None:
    """Return the fault of buttons or rows that cannot be told apart, or of too many rows or nameless sections."""
    match message.interactive:
        case Choice(action=action):
            ids, titles = [[getattr(key.reply, name) for key in action.buttons] for name in ("id", "title")]
        case ListChoice(action=action):
            ids, titles = [[getattr(row, name) for row in action.rows] for name in ("id", "title")]
            if len(ids) > MAX_ROWS:
                return Fault(131009, f"Total row count exceed max allowed count: {MAX_ROWS}")
            if len(action.sections) > 1 and not all(section.title for section in action.sections):
                return Fault(131009, "a section's title is required if there is more than one section")
        case _:
            return None
    if len({*ids}) < len(ids):
        return Fault(131009, "the ids are not unique")
    is_repeated = isinstance(message.interactive, Choice) and len({*titles}) < len(titles)
    return Fault(131009, "the buttons' titles are not unique") if is_repeated else None


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
    if message.interactive:
        return _interactive_view(message.interactive)
    if file := message.file:
        return PhoneView(getattr(file, "caption", ""), [], file.link or getattr(file, "filename", "") or file.id or "")
    return PhoneView(_text(message), [], "")


def _interactive_view(message: Interactive) -> PhoneView:
    header, footer = getattr(message, "header", None), getattr(message, "footer", None)
    title = header.text if isinstance(header, TextHeader) else ""
    text = "\n".join(filter(None, (title, message.body.text, footer.text if footer else "")))
    file = None if header is None or title else getattr(header, str(header.__struct_config__.tag))
    return PhoneView(text, _buttons(message), (file.link or file.id or "") if file else "")


def _buttons(message: Interactive) -> list[Button]:
    match message:
        case Choice(action=action):
            return [Button(key.reply.title, reply=key.reply.id) for key in action.buttons]
        case ListChoice(action=action):
            return [Button(row.title, reply=row.id) for row in action.rows]
        case LinkChoice(action=action):
            return [Button(action.parameters.display_text, url=action.parameters.url)]
        case LocationRequest():
            return []


def _text(message: Message) -> str:
    if place := message.location:
        return " ".join(filter(None, (place.name, place.address, f"{place.latitude}, {place.longitude}")))
    if message.contacts:
        return "\n".join(contact.text for contact in message.contacts)
    if message.reaction:
        return message.reaction.emoji
    return message.text.body if message.text else ""

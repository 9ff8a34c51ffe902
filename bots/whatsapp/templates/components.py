"""Translates a template's parts into Meta's format and back. Business Management API: Message templates, Components."""

import re
from collections.abc import Iterator
from typing import Any, get_args

from bots.whatsapp.item import dig, items, word
from gateway.domain.model.message_template import Category, Choice, Head, MessageTemplate, places

Json = dict[str, Any]
BUTTONS = {"quickReply": "QUICK_REPLY", "url": "URL", "phone": "PHONE_NUMBER"}
BUTTON_TYPES = {meta_type: our_type for our_type, meta_type in BUTTONS.items()}
CATEGORIES = get_args(Category)


def has_named_variables(template: MessageTemplate) -> bool:
    """Tell whether its variables have names, and not numbers (Parameter formats)."""
    texts = (template.body, template.header.text if template.header else "")
    return any(not name.isdecimal() for text in texts for name in places(text))


def render(template: MessageTemplate, handle: str = "") -> list[Json]:
    """Return the components. handle: Meta's handle of the header's example file, where it has one."""
    return [
        *([_header(template.header, handle, has_names=has_named_variables(template))] if template.header else []),
        _body(template),
        *([{"type": "FOOTER", "text": template.footer}] if template.footer else []),
        *([{"type": "BUTTONS", "buttons": list(map(_button, template.buttons))}] if template.buttons else []),
    ]


def _header(header: Head, handle: str, *, has_names: bool) -> Json:
    part: Json = {"type": "HEADER", "format": header.type.upper()}
    if header.type == "text":
        part["text"] = header.text
        if names := places(header.text):
            example = [{"param_name": names[0], "example": header.example}] if has_names else [header.example]
            part["example"] = {"header_text_named_params" if has_names else "header_text": example}
    elif header.type != "location":
        part["example"] = {"header_handle": [handle]}
    return part


def _body(template: MessageTemplate) -> Json:
    part: Json = {"type": "BODY", "text": template.body}
    examples, names = template.body_examples, places(template.body)
    if names and has_named_variables(template):
        named_examples = [{"param_name": name, "example": examples[name]} for name in names]
        part["example"] = {"body_text_named_params": named_examples}
    elif names:
        part["example"] = {"body_text": [[examples[name] for name in sorted(names, key=int)]]}
    return part


def _button(button: Choice) -> Json:
    part: Json = {"type": BUTTONS[button.type], "text": button.text}
    if button.type == "phone":
        part["phone_number"] = button.phone
    if button.type == "url":
        part["url"] = button.url
        if places(button.url):
            part["example"] = [button.example]
    return part


def read(account: str, item: object) -> MessageTemplate:
    """Return a template of Meta's list. What we have no field for is left out."""
    parts = {word(part, "type"): part for part in items(item, "components")}
    category = word(item, "category")
    return MessageTemplate(
        channel="whatsapp",
        account=account,
        name=word(item, "name"),
        language=word(item, "language"),
        category=category if category in CATEGORIES else "UTILITY",
        body=word(parts.get("BODY"), "text"),
        body_examples=dict(_examples(parts.get("BODY"))),
        header=_read_header(parts.get("HEADER")),
        footer=word(parts.get("FOOTER"), "text"),
        buttons=tuple(_read_buttons(parts.get("BUTTONS"))),
    )


def _examples(body: object) -> Iterator[tuple[str, str]]:
    for entry in items(body, "example", "body_text_named_params"):
        if PLACE_NAME.fullmatch(name := word(entry, "param_name")):
            yield name, word(entry, "example")
    rows = items(body, "example", "body_text")
    for number, value in enumerate(rows[0] if rows and isinstance(rows[0], list) else [], 1):
        yield str(number), str(value)


PLACE_NAME = re.compile(r"\w{1,64}")


def _read_header(header: object) -> Head | None:
    kind = word(header, "format").lower()
    texts = items(header, "example", "header_text")
    named_texts = [word(entry, "example") for entry in items(header, "example", "header_text_named_params")]
    example = next(map(str, [*texts, *named_texts, *items(header, "example", "header_handle")]), "")
    match kind:
        case "text" | "image" | "document" | "video" | "location":
            return Head(kind, word(header, "text"), example)
    return None


def _read_buttons(buttons: object) -> Iterator[Choice]:
    for item in items(buttons, "buttons"):
        example = dig(item, "example")
        button_example = str(example[0]) if isinstance(example, list) and example else word(item, "example")
        match BUTTON_TYPES.get(word(item, "type")):
            case ("quickReply" | "url" | "phone") as kind:
                yield Choice(kind, word(item, "text"), word(item, "url"), button_example, word(item, "phone_number"))

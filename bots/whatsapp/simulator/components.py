"""A template's parts, and Meta's checks of a message against them. Cloud API: Template messages, Error codes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict

from bots.whatsapp.simulator.types import ButtonPart, Location, Payload, TemplateUse, Value
from gateway.domain.model.nouns import Button

PLACEHOLDER = re.compile(r"{{(\w+)}}")
Json = Mapping[str, Any]


class Template(TypedDict):
    """A template as Meta keeps it: a body with {{1}} or {{name}}, and quick replies under it; or all its components."""

    body: str
    id: NotRequired[str]
    status: NotRequired[str]
    reason: NotRequired[str]
    category: NotRequired[str]
    buttons: NotRequired[list[str]]
    components: NotRequired[list[dict[str, Any]]]


class Fault(NamedTuple):
    """A refusal of Meta's: one of its codes, the details, and for a template its subcode."""

    code: int
    details: str
    subcode: int = 0


def components(template: Template) -> list[dict[str, Any]]:
    """Return all components, also of a template that is given by its texts."""
    if "components" in template:
        return template["components"]
    replies = [{"type": "QUICK_REPLY", "text": text} for text in template.get("buttons", ())]
    body: dict[str, Any] = {"type": "BODY", "text": template["body"]}
    return [body, {"type": "BUTTONS", "buttons": replies}] if replies else [body]


def part(template: Template, kind: str) -> Json:
    """Return the component of this type, or {}."""
    return next((component for component in components(template) if component["type"] == kind), {})


def names(text: str) -> list[str]:
    """Return the variables of a text, each once."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def find_mismatch(use: TemplateUse, template: Template) -> Fault | None:
    """Return why the values do not fit the template; None where they fit."""
    return (
        _header_mismatch(use, part(template, "HEADER"))
        or _values_mismatch(use.values, names(part(template, "BODY")["text"]))
        or next(_button_mismatches(use.buttons, part(template, "BUTTONS").get("buttons", [])), None)
    )


def _header_mismatch(use: TemplateUse, header: Json) -> Fault | None:
    value = use.header
    kind = str(value.__struct_config__.tag).upper() if value else "UNKNOWN"
    format_ = header.get("format", "TEXT")
    if format_ == "TEXT" and (value is None or isinstance(value, Value)):
        return _values_mismatch([value] if value else [], names(header.get("text", "")))
    if kind == format_:
        return None
    return Fault(132012, f"header: Format mismatch, expected {format_}, received {kind}")


def _values_mismatch(values: list[Value], names: list[str]) -> Fault | None:
    if len(values) != len(names):
        return Fault(132000, f"number of localizable_params ({len(values)}) does not match ({len(names)})")
    value_names = [value.parameter_name or str(index) for index, value in enumerate(values, 1)]
    if sorted(value_names) != sorted(names):
        return Fault(132012, f"parameters {', '.join(value_names)} do not match {', '.join(names)}")
    if any(re.search(r"[\n\t]| {5}", value.text) for value in values):
        return Fault(132018, "a value has line breaks, tabs or more than four spaces in a row")
    return None


def _button_mismatches(parts: Mapping[int, ButtonPart], buttons: list[Json]) -> Iterator[Fault]:
    for index, button in enumerate(buttons):
        if names(button.get("url", "")) and index not in parts:
            yield Fault(131008, f"buttons: Button at index {index} of type Url requires a parameter")
    for index, button_part in parts.items():
        kind = buttons[index]["type"] if index < len(buttons) else "none"
        fits = button_part.sub_type.upper() == kind and isinstance(button_part.parameters[0], Value) == (kind == "URL")
        if not fits or (kind == "URL" and not names(buttons[index]["url"])):
            yield Fault(132018, f"buttons: Button at index {index} of type {kind} takes no such parameter")


def template_view(use: TemplateUse, template: Template) -> tuple[str, list[Button], str]:
    """Return the text, the buttons and the file of a template with its values, as a phone shows them."""
    title = _text(part(template, "HEADER").get("text", ""), [use.header] if isinstance(use.header, Value) else [])
    body = _text(part(template, "BODY")["text"], use.values)
    footer = part(template, "FOOTER").get("text", "")
    buttons = part(template, "BUTTONS").get("buttons", [])
    phone_buttons = [_button(button, use.buttons.get(index)) for index, button in enumerate(buttons)]
    return "\n".join(filter(None, (title, body, footer))), phone_buttons, _file(use)


def _text(text: str, values: list[Value]) -> str:
    texts = {value.parameter_name or str(index): value.text for index, value in enumerate(values, 1)}
    return PLACEHOLDER.sub(lambda match: texts[match[1]], text)


def _button(button: Json, button_part: ButtonPart | None) -> Button:
    value = button_part.parameters[0] if button_part else None
    if button["type"] == "URL":
        end = value.text if isinstance(value, Value) else ""
        return Button(button["text"], url=PLACEHOLDER.sub(lambda _: end, button["url"]))
    if button["type"] == "PHONE_NUMBER":
        return Button(button["text"], url=f"tel:{button['phone_number']}")
    return Button(button["text"], reply=value.payload if isinstance(value, Payload) else button["text"])


def _file(use: TemplateUse) -> str:
    header = use.header
    if isinstance(header, Location):
        return f"{header.location.latitude}, {header.location.longitude}"
    if header is None or isinstance(header, Value):
        return ""
    file = getattr(header, str(header.__struct_config__.tag))
    return file.link or file.id or ""

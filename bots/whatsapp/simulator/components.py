"""A template's parts, as Meta's server holds what is sent against them (Cloud API: Template messages, Error codes)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict

from bots.whatsapp.simulator.types import Answering, ButtonPart, Location, TemplateUse, Value
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
    """Why Meta refuses: one of its codes, the details, and of a template its subcode."""

    code: int
    details: str
    subcode: int = 0


def components(template: Template) -> list[dict[str, Any]]:
    """All its components, also where it was given by its texts."""
    if "components" in template:
        return template["components"]
    replies = [{"type": "QUICK_REPLY", "text": text} for text in template.get("buttons", ())]
    body: dict[str, Any] = {"type": "BODY", "text": template["body"]}
    return [body, {"type": "BUTTONS", "buttons": replies}] if replies else [body]


def part(template: Template, kind: str) -> Json:
    return next((one for one in components(template) if one["type"] == kind), {})


def names(text: str) -> list[str]:
    """The variables of a text, each once."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def unfit(use: TemplateUse, template: Template) -> Fault | None:
    """Why the values do not fit."""
    return (
        _unfit_header(use, part(template, "HEADER"))
        or _unfit_values(use.values, names(part(template, "BODY")["text"]))
        or next(_unfit_buttons(use.buttons, part(template, "BUTTONS").get("buttons", [])), None)
    )


def _unfit_header(use: TemplateUse, header: Json) -> Fault | None:
    given = use.header
    kind = str(given.__struct_config__.tag).upper() if given else "UNKNOWN"
    wanted = header.get("format", "TEXT")
    if wanted == "TEXT" and (given is None or isinstance(given, Value)):
        return _unfit_values([given] if given else [], names(header.get("text", "")))
    return Fault(132012, f"header: Format mismatch, expected {wanted}, received {kind}") if kind != wanted else None


def _unfit_values(values: list[Value], names: list[str]) -> Fault | None:
    if len(values) != len(names):
        return Fault(132000, f"number of localizable_params ({len(values)}) does not match ({len(names)})")
    given = [value.parameter_name or str(index) for index, value in enumerate(values, 1)]
    if sorted(given) != sorted(names):
        return Fault(132012, f"parameters {', '.join(given)} do not match {', '.join(names)}")
    if any(re.search(r"[\n\t]| {5}", value.text) for value in values):
        return Fault(132018, "a value has line breaks, tabs or more than four spaces in a row")
    return None


def _unfit_buttons(given: Mapping[int, ButtonPart], buttons: list[Json]) -> Iterator[Fault]:
    for index, button in enumerate(buttons):
        if names(button.get("url", "")) and index not in given:
            yield Fault(131008, f"buttons: Button at index {index} of type Url requires a parameter")
    for index, filled in given.items():
        kind = buttons[index]["type"] if index < len(buttons) else "none"
        fits = filled.sub_type.upper() == kind and isinstance(filled.parameters[0], Value) == (kind == "URL")
        if not fits or (kind == "URL" and not names(buttons[index]["url"])):
            yield Fault(132018, f"buttons: Button at index {index} of type {kind} takes no such parameter")


def as_seen(use: TemplateUse, template: Template) -> tuple[str, list[Button], str]:
    """Text, buttons and file of it, as a phone shows them."""
    title = _text(part(template, "HEADER").get("text", ""), [use.header] if isinstance(use.header, Value) else [])
    body = _text(part(template, "BODY")["text"], use.values)
    footer = part(template, "FOOTER").get("text", "")
    buttons = part(template, "BUTTONS").get("buttons", [])
    shown = [_button(button, use.buttons.get(index)) for index, button in enumerate(buttons)]
    return "\n".join(filter(None, (title, body, footer))), shown, _file(use)


def _text(text: str, values: list[Value]) -> str:
    told = {value.parameter_name or str(index): value.text for index, value in enumerate(values, 1)}
    return PLACEHOLDER.sub(lambda found: told[found[1]], text)


def _button(button: Json, filled: ButtonPart | None) -> Button:
    value = filled.parameters[0] if filled else None
    if button["type"] == "URL":
        end = value.text if isinstance(value, Value) else ""
        return Button(button["text"], url=PLACEHOLDER.sub(lambda _: end, button["url"]))
    if button["type"] == "PHONE_NUMBER":
        return Button(button["text"], url=f"tel:{button['phone_number']}")
    return Button(button["text"], reply=value.payload if isinstance(value, Answering) else button["text"])


def _file(use: TemplateUse) -> str:
    header = use.header
    if isinstance(header, Location):
        return f"{header.location.latitude}, {header.location.longitude}"
    if header is None or isinstance(header, Value):
        return ""
    file = getattr(header, str(header.__struct_config__.tag))
    return file.link or file.id or ""

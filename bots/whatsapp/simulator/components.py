"""A template's parts, and Meta's checks of a message against them. Cloud API: Template messages, Error codes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NotRequired, TypedDict

from bots.whatsapp.simulator.types.common import Location
from bots.whatsapp.simulator.types.template_use import (
    ButtonPart,
    Coupon,
    Filled,
    FlowStart,
    Payload,
    TemplateUse,
    TextValue,
    Value,
)
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
    body: dict[str, Any] = {"type": "BODY", "text": template["body"], **_example_of(template["body"])}
    return [body, {"type": "BUTTONS", "buttons": replies}] if replies else [body]


def _example_of(body: str) -> dict[str, Any]:
    """Return the examples that Meta keeps of a body's variables."""
    if not (variables := names(body)):
        return {}
    if all(name.isdecimal() for name in variables):
        return {"example": {"body_text": [["…"] * len(variables)]}}
    return {"example": {"body_text_named_params": [{"param_name": name, "example": "…"} for name in variables]}}


def part(template: Template, kind: str) -> Json:
    """Return the component of this type, or {}."""
    return next((component for component in components(template) if component["type"] == kind), {})


def names(text: str) -> list[str]:
    """Return the variables of a text, each once."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def find_mismatch(use: TemplateUse, template: Template) -> Fault | None:
    """Return why the values do not fit the template; None where they fit."""
    cards = part(template, "CAROUSEL").get("cards", [])
    if len(use.cards) != len(cards):
        return Fault(132012, f"carousel: expected {len(cards)} cards, received {len(use.cards)}")
    if part(template, "LIMITED_TIME_OFFER").get("limited_time_offer", {}).get("has_expiration") and not use.has_offer:
        return Fault(131008, "limited_time_offer: Parameter of type limited_time_offer is missing")
    pairs = zip(use.cards, cards, strict=True)
    return _part_mismatch(use, components(template)) or next(
        filter(None, (_part_mismatch(card, shape["components"]) for card, shape in pairs)), None
    )


def _part_mismatch(use: Filled, parts: list[dict[str, Any]]) -> Fault | None:
    by_type: Mapping[str, Json] = {component["type"]: component for component in parts}
    return (
        _header_mismatch(use, by_type.get("HEADER", {}))
        or _values_mismatch(use.values, names(by_type.get("BODY", {}).get("text", "")))
        or next(_button_mismatches(use.buttons, by_type.get("BUTTONS", {}).get("buttons", [])), None)
    )


def _header_mismatch(use: Filled, header: Json) -> Fault | None:
    value = use.header
    kind = str(value.__struct_config__.tag).upper() if value else "UNKNOWN"
    format_ = header.get("format", "TEXT")
    if format_ == "TEXT" and (value is None or isinstance(value, TextValue)):
        return _values_mismatch([value] if value else [], names(header.get("text", "")))
    if kind == format_:
        return None
    return Fault(132012, f"header: Format mismatch, expected {format_}, received {kind}")


def _values_mismatch(values: list[TextValue], names: list[str]) -> Fault | None:
    if len(values) != len(names):
        return Fault(132000, f"number of localizable_params ({len(values)}) does not match ({len(names)})")
    value_names = [value.parameter_name or str(index) for index, value in enumerate(values, 1)]
    if sorted(value_names) != sorted(names):
        return Fault(132012, f"parameters {', '.join(value_names)} do not match {', '.join(names)}")
    if any(re.search(r"[\n\t]| {5}", value.text) for value in values):
        return Fault(132018, "a value has line breaks, tabs or more than four spaces in a row")
    return None


TAKES: Mapping[str, type[Value | Payload | Coupon | FlowStart]] = {
    "URL": Value,
    "OTP": Value,
    "QUICK_REPLY": Payload,
    "COPY_CODE": Coupon,
    "FLOW": FlowStart,
}
"""The kind of parameter that each type of button takes; others take none."""


def _button_mismatches(parts: Mapping[int, ButtonPart], buttons: list[Json]) -> Iterator[Fault]:
    for index, button in enumerate(buttons):
        needs_value = names(button.get("url", "")) or button["type"] in {"COPY_CODE", "OTP"}
        if needs_value and index not in parts:
            yield Fault(131008, f"buttons: Button at index {index} of type {_words(button)} requires a parameter")
    for index, button_part in parts.items():
        kind = buttons[index]["type"] if index < len(buttons) else "none"
        # Meta makes a button with an address of a one-time password.
        sent_as = {kind, "URL"} if kind == "OTP" else {kind}
        fits = button_part.sub_type.upper() in sent_as and isinstance(button_part.parameters[0], TAKES[kind])
        if not fits or (kind == "URL" and not names(buttons[index]["url"])):
            yield Fault(132018, f"buttons: Button at index {index} of type {kind} takes no such parameter")


def _words(button: Json) -> str:
    return str(button["type"]).replace("_", " ").title()


def template_view(use: TemplateUse, template: Template) -> tuple[str, list[Button], str]:
    """Return the text, the buttons and the file of a template with its values, as a phone shows them."""
    shapes = [card["components"] for card in part(template, "CAROUSEL").get("cards", [])]
    views = [_part_view(use, components(template)), *map(_part_view, use.cards, shapes)]
    texts, buttons = [text for text, _ in views if text], [button for _, keys in views for button in keys]
    return "\n".join(texts), buttons, _file(use) or "\n".join(map(_file, use.cards))


def _part_view(use: Filled, parts: list[dict[str, Any]]) -> tuple[str, list[Button]]:
    by_type: Mapping[str, Json] = {component["type"]: component for component in parts}
    title = _text(by_type.get("HEADER", {}).get("text", ""), [use.header] if isinstance(use.header, TextValue) else [])
    body = _text(by_type.get("BODY", {}).get("text", ""), use.values)
    offer = by_type.get("LIMITED_TIME_OFFER", {}).get("limited_time_offer", {}).get("text", "")
    footer = by_type.get("FOOTER", {}).get("text", "")
    buttons = by_type.get("BUTTONS", {}).get("buttons", [])
    phone_buttons = [_button(button, use.buttons.get(index)) for index, button in enumerate(buttons)]
    return "\n".join(filter(None, (title, offer, body, footer))), phone_buttons


def _text(text: str, values: Sequence[TextValue]) -> str:
    texts = {value.parameter_name or str(index): value.text for index, value in enumerate(values, 1)}
    return PLACEHOLDER.sub(lambda match: texts[match[1]], text)


def _button(button: Json, button_part: ButtonPart | None) -> Button:
    """Return a button as the phone shows it. One that copies, calls or opens something sends us nothing."""
    value, kind = button_part.parameters[0] if button_part else None, button["type"]
    text = button.get("text") or _words(button)
    if kind == "URL":
        end = value.text if isinstance(value, Value) else ""
        return Button(text, url=PLACEHOLDER.sub(lambda _: end, button["url"]))
    if kind == "PHONE_NUMBER":
        return Button(text, url=f"tel:{button['phone_number']}")
    if kind == "QUICK_REPLY":
        return Button(text, reply=value.payload if isinstance(value, Payload) else text)
    code = value.coupon_code if isinstance(value, Coupon) else value.text if isinstance(value, Value) else ""
    return Button(text, url=f"{kind.lower()}:{code}")


def _file(use: Filled) -> str:
    header = use.header
    if isinstance(header, Location):
        return f"{header.location.latitude}, {header.location.longitude}"
    if header is None or isinstance(header, TextValue):
        return ""
    file = getattr(header, str(header.__struct_config__.tag))
    return file.link or file.id or ""

"""What a form says of a provider's template, as the API takes it, and the other way round. Pure."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.model.message_template import MessageTemplate

MOST_BUTTONS = 10
KINDS = ("quickReply", "url", "phone")

Fields = dict[str, Any]


def read_draft(form: Mapping[str, str]) -> Fields:
    """Return the draft that a form holds, as the API's fields."""
    channel, _, account = form.get("account", "").partition(":")
    named = {"channel": channel, "account": account or None, "name": form.get("name", "").strip()}
    return {**named, "language": form.get("language", "").strip(), **read_contents(form)}


def read_contents(form: Mapping[str, str]) -> Fields:
    """Return the contents that a form holds, as the API's fields."""
    header = {name: form.get(f"header-{name}", "").strip() for name in ("type", "text", "example")}
    header["text"] *= header["type"] == "text"  # what is written in a field of another kind is not shown
    header["example"] *= header["type"] != "location"
    return {
        "category": form.get("category", ""),
        "body": form.get("body", "").replace("\r", "").strip(),
        "bodyExamples": _examples(form.get("examples", "")),
        "header": {name: value for name, value in header.items() if value} if header["type"] else None,
        "footer": form.get("footer", "").strip(),
        "buttons": [button for number in range(MOST_BUTTONS) if (button := _button(form, number))],
    }


def fields_of(template: MessageTemplate) -> dict[str, str]:
    """Return a template as the fields of the form."""
    fields = {name: getattr(template, name) for name in ("name", "language", "category", "body", "footer")}
    fields["account"] = f"{template.channel}:{template.account}"
    fields["examples"] = "\n".join(f"{name} = {value}" for name, value in template.body_examples.items())
    if head := template.header:
        fields |= {f"header-{name}": getattr(head, name) for name in ("type", "text", "example")}
    for number, button in enumerate(template.buttons):
        fields[f"kind-{number}"], fields[f"button-{number}"] = button.type, button.text
        fields[f"leads-{number}"], fields[f"example-{number}"] = button.url or button.phone, button.example
    return fields


def _examples(lines: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _button(form: Mapping[str, str], number: int) -> Fields:
    kind, text = form.get(f"kind-{number}", ""), form.get(f"button-{number}", "").strip()
    if not text:
        return {}
    leads, example = (form.get(f"{name}-{number}", "").strip() for name in ("leads", "example"))
    where = {"url": {"url": leads, "example": example}, "phone": {"phone": leads}}.get(kind, {})
    return {"type": kind, "text": text, **{name: value for name, value in where.items() if value}}

"""What is to be filled in of an approved template: a field for each variable, and the request they make. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain.model.message_template import MessageTemplate, places
from webhooks.pages.words import gettext

BODY, HEADER, BUTTON, FILE = "body.", "header.", "button.", "address"
"""The beginnings of the fields' names."""


@dataclass(frozen=True)
class Field:
    """A variable's field. name: in the form. label: for people. example: as the provider was shown it."""

    name: str
    label: str
    value: str
    example: str

    @property
    def is_file(self) -> bool:
        """Return whether a file may be given in place of it."""
        return self.name == FILE


def fields_of(template: MessageTemplate, known: Mapping[str, str], typed: Mapping[str, str]) -> list[Field]:
    """Return a template's fields, filled with what was typed, or else with what is known by the variable's name."""
    head, examples = template.header, template.body_examples
    wanted = [(f"{BODY}{name}", name, examples.get(name, "")) for name in places(template.body)]
    if head and head.type == "text":
        wanted = [*((f"{HEADER}{name}", name, head.example) for name in places(head.text)), *wanted]
    elif head and head.type != "location":
        wanted = [(FILE, gettext("Address of the file"), head.example), *wanted]
    for index, button in enumerate(template.buttons):
        if places(button.url):
            wanted.append((f"{BUTTON}{index}", gettext("End of the link: %(button)s") % {"button": button.text}, ""))
    return [Field(name, label, typed.get(name, known.get(label, "")), example) for name, label, example in wanted]


def template_of(name: str, language: str, values: Mapping[str, str], uploaded: str = "") -> dict[str, Any]:
    """Return a template with what its fields say, as the API's request has it. uploaded: the id of a file of ours."""
    header = part(values, HEADER)
    kind, url = values.get("kind", ""), values.get(FILE, "")
    file = {"id": uploaded} if uploaded else {"url": url} if url else None
    heads = {"type": kind, **file} if file else {"type": "text", "variables": header} if header else None
    buttons = [{"index": int(index), "url": value} for index, value in part(values, BUTTON).items() if index.isdigit()]
    return {
        "name": name,
        "language": language,
        "variables": part(values, BODY),
        **({"header": heads} if heads else {}),
        **({"buttons": buttons} if buttons else {}),
    }


def values_of(template: Mapping[str, Any]) -> dict[str, str]:
    """Return what the fields say, of a template as the API's request has it."""
    header = template.get("header") or {}
    return {
        **{f"{BODY}{name}": value for name, value in (template.get("variables") or {}).items()},
        **{f"{HEADER}{name}": value for name, value in (header.get("variables") or {}).items()},
        **({FILE: header["url"]} if header.get("url") else {}),
        **{f"{BUTTON}{each['index']}": each["url"] for each in template.get("buttons") or [] if each.get("url")},
    }


def part(values: Mapping[str, str], beginning: str) -> dict[str, str]:
    """Return the values of the fields with this beginning, without it."""
    return {name.removeprefix(beginning): value for name, value in values.items() if name.startswith(beginning)}

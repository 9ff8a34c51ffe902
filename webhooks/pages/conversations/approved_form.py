"""The form for an approved template: a field for each variable, filled in as far as the person is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.conversations.person import Someone
from gateway.domain.model.identifier import find
from gateway.domain.model.message_template import MessageTemplate, places
from gateway.domain.model.nouns import Session, TemplateHeader, TemplateMessage, template_key
from gateway.messages.templates.phone_page import Bubble, template_bubble
from storage.templates import approved
from webhooks.http.context import runtime
from webhooks.pages.conversations.rows import name_of
from webhooks.pages.conversations.typed import Typed
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


@dataclass(frozen=True)
class ApprovedForm:
    """The form as it is shown. chosen: None where no template is known. preview: as the person's phone shows it."""

    names: Sequence[str]
    chosen: MessageTemplate | None
    fields: Sequence[Field]
    preview: Bubble | None
    possible: bool = True


async def approved_form(session: Session, someone: Someone, typed: Typed) -> ApprovedForm:
    """Return the form for the template that was chosen, or for the first one."""
    address = session.address
    stored = await approved.of_account(runtime().db, address.channel, address.account)
    usable = {_name(each): each for each in sorted(stored, key=_name) if each.usable}
    template = usable.get(typed.template) or next(iter(usable.values()), None)
    if template is None:
        return ApprovedForm([], None, [], None)
    fields = _fields(template, _known(session, someone), typed.values)
    values = {each.name: each.value for each in fields if each.value}
    possible = template.header is None or template.header.type != "location"
    return ApprovedForm(list(usable), template, fields, template_bubble(template, _message(template, values)), possible)


async def lacking(session: Session, typed: Typed) -> list[str]:
    """Return the labels of the fields that were left empty."""
    address, (name, _, language) = session.address, typed.template.partition(" / ")
    key = template_key(address.channel, address.account, TemplateMessage(name, language))
    template = await approved.get(runtime().db, key)
    fields = _fields(template, {}, typed.values) if template else []
    return [each.label for each in fields if not (each.value or (each.name == FILE and typed.uploaded))]


def request_of(typed: Typed) -> dict[str, Any]:
    """Return what was typed as the API's request has it. Pure."""
    name, _, language = typed.template.partition(" / ")
    body, header = _part(typed.values, BODY), _part(typed.values, HEADER)
    kind, url = typed.values.get("kind", ""), typed.values.get(FILE, "")
    file = {"id": typed.uploaded} if typed.uploaded else {"url": url} if url else None
    heads = {"type": kind, **file} if file else {"type": "text", "variables": header} if header else None
    buttons = [
        {"index": int(index), "url": value} for index, value in _part(typed.values, BUTTON).items() if index.isdigit()
    ]
    return {
        "name": name,
        "language": language,
        "variables": body,
        **({"header": heads} if heads else {}),
        **({"buttons": buttons} if buttons else {}),
    }


def _part(values: Mapping[str, str], beginning: str) -> dict[str, str]:
    return {name.removeprefix(beginning): value for name, value in values.items() if name.startswith(beginning)}


def _name(template: MessageTemplate) -> str:
    return f"{template.name} / {template.language}"


def _fields(template: MessageTemplate, known: Mapping[str, str], typed: Mapping[str, str]) -> list[Field]:
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


def _known(session: Session, someone: Someone) -> Mapping[str, str]:
    """Return values that variables of these names are likely to mean."""
    contact = someone.contact
    whole = name_of(session, contact) if session.name or (contact and contact.name) else ""
    number, own_id = find(someone.identifiers, "phone") or "", find(someone.identifiers, "externalId") or ""
    first = whole.partition(" ")[0]
    return {"name": first, "first_name": first, "full_name": whole, "phone": number, "external_id": own_id}


def _message(template: MessageTemplate, values: Mapping[str, str]) -> TemplateMessage:
    head = TemplateHeader(_part(values, HEADER))
    return TemplateMessage(template.name, template.language, _part(values, BODY), head)

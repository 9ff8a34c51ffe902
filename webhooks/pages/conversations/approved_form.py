"""The form for an approved template: a field for each variable, filled in as far as the person is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.conversations.person import Someone
from gateway.domain.model.identifier import find
from gateway.domain.model.message_template import MessageTemplate
from gateway.domain.model.nouns import Session, TemplateHeader, TemplateMessage, template_key
from gateway.messages.templates.phone_page import Bubble, template_bubble
from storage.templates import approved
from webhooks.http.context import runtime
from webhooks.pages.conversations.rows import name_of
from webhooks.pages.conversations.typed import Typed
from webhooks.pages.forms.approved_fields import BODY, HEADER, Field, fields_of, part, template_of


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
    fields = fields_of(template, _known(session, someone), typed.values)
    values = {each.name: each.value for each in fields if each.value}
    possible = template.header is None or template.header.type != "location"
    return ApprovedForm(list(usable), template, fields, template_bubble(template, _message(template, values)), possible)


async def lacking(session: Session, typed: Typed) -> list[str]:
    """Return the labels of the fields that were left empty."""
    address, (name, _, language) = session.address, typed.template.partition(" / ")
    key = template_key(address.channel, address.account, TemplateMessage(name, language))
    template = await approved.get(runtime().db, key)
    fields = fields_of(template, {}, typed.values) if template else []
    return [each.label for each in fields if not (each.value or (each.is_file and typed.uploaded))]


def request_of(typed: Typed) -> dict[str, Any]:
    """Return what was typed as the API's request has it. Pure."""
    name, _, language = typed.template.partition(" / ")
    return template_of(name, language, typed.values, typed.uploaded)


def _name(template: MessageTemplate) -> str:
    return f"{template.name} / {template.language}"


def _known(session: Session, someone: Someone) -> Mapping[str, str]:
    """Return values that variables of these names are likely to mean."""
    contact = someone.contact
    whole = name_of(session, contact) if session.name or (contact and contact.name) else ""
    number, own_id = find(someone.identifiers, "phone") or "", find(someone.identifiers, "externalId") or ""
    first = whole.partition(" ")[0]
    return {"name": first, "first_name": first, "full_name": whole, "phone": number, "external_id": own_id}


def _message(template: MessageTemplate, values: Mapping[str, str]) -> TemplateMessage:
    head = TemplateHeader(part(values, HEADER))
    return TemplateMessage(template.name, template.language, part(values, BODY), head)

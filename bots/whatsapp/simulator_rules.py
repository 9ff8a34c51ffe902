"""What Meta's server takes and refuses, as types: the limits of Cloud API's messages, and those of templates."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from gateway.model import Button

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Title = Annotated[str, Meta(min_length=1, max_length=20)]
Url = Annotated[str, Meta(pattern="^https?://")]


class Template(Struct, kw_only=True):
    """A template as it was approved: placeholders {{1}} or {{name}} in its body, quick replies under it."""

    body: str
    status: str = "APPROVED"
    buttons: list[str] = []

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(PLACEHOLDER.findall(self.body)))


PLACEHOLDER = re.compile(r"{{(\w+)}}")
Templates = Mapping[tuple[str, str], Template]


class Strict(Struct, forbid_unknown_fields=True, kw_only=True):
    """Meta refuses parameters that it does not know."""


class Text(Strict):
    body: Annotated[str, Meta(min_length=1, max_length=4096)]
    preview_url: bool = False


class File(Strict):
    id: Id | None = None
    link: Url | None = None
    caption: Annotated[str, Meta(max_length=1024)] = ""
    filename: str = ""


class Sound(Strict):
    id: Id | None = None
    link: Url | None = None


class Body(Strict):
    text: Annotated[str, Meta(min_length=1, max_length=1024)]


class Reply(Strict):
    id: Id
    title: Title


class ReplyButton(Strict):
    type: Literal["reply"]
    reply: Reply


class ReplyButtons(Strict):
    buttons: Annotated[list[ReplyButton], Meta(min_length=1, max_length=3)]


class Row(Strict):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    title: Annotated[str, Meta(min_length=1, max_length=24)]
    description: Annotated[str, Meta(max_length=72)] = ""


class Section(Strict):
    rows: Annotated[list[Row], Meta(min_length=1, max_length=10)]


class Rows(Strict):
    button: Title
    sections: Annotated[list[Section], Meta(min_length=1, max_length=1)]


class Link(Strict):
    display_text: Title
    url: Url


class LinkAction(Strict):
    name: Literal["cta_url"]
    parameters: Link


class Choice(Strict, tag="button"):
    body: Body
    action: ReplyButtons


class Listing(Strict, tag="list"):
    body: Body
    action: Rows


class Opening(Strict, tag="cta_url"):
    body: Body
    action: LinkAction


class Value(Strict):
    type: Literal["text"]
    text: Annotated[str, Meta(min_length=1)]
    parameter_name: str = ""


class Component(Strict):
    type: Literal["body"]
    parameters: list[Value]


class Language(Strict):
    code: str


class TemplateUse(Strict):
    name: str
    language: Language
    components: Annotated[list[Component], Meta(max_length=1)] = []

    @property
    def values(self) -> list[Value]:
        return [value for component in self.components for value in component.parameters]


class Message(Strict):
    """The body of POST /messages that sends something."""

    messaging_product: Literal["whatsapp"]
    type: Literal["text", "image", "video", "audio", "document", "sticker", "interactive", "template"]
    recipient_type: Literal["individual"] = "individual"
    to: Annotated[str, Meta(pattern=r"^\+?[0-9]{5,15}$")] | None = None
    recipient: Annotated[str, Meta(pattern=r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$")] | None = None
    biz_opaque_callback_data: Annotated[str, Meta(max_length=512)] = ""
    text: Text | None = None
    image: File | None = None
    video: File | None = None
    audio: Sound | None = None
    document: File | None = None
    sticker: Sound | None = None
    interactive: Choice | Listing | Opening | None = None
    template: TemplateUse | None = None

    @property
    def file(self) -> File | Sound | None:
        return self.image or self.video or self.audio or self.document or self.sticker


class Fault(NamedTuple):
    """Why Meta refuses: one of its codes, and the details."""

    code: int
    details: str


def read(request: object, templates: Templates) -> Message | Fault:
    """The message, if Meta would take it."""
    try:
        message = msgspec.convert(request, Message)
    except msgspec.ValidationError as error:
        return Fault(_code(str(error)), str(error))
    return _missing(message) or _not_sendable(message, templates) or _repeated(message) or message


def _code(problem: str) -> int:
    if "missing required field" in problem:
        return 131008
    return 100 if "unknown field" in problem or "$.type" in problem else 131009


def _missing(message: Message) -> Fault | None:
    if not (message.to or message.recipient):
        return Fault(131008, "to or recipient is required")
    if getattr(message, message.type) is None:
        return Fault(131008, f"{message.type} is required")
    if message.file and bool(message.file.id) == bool(message.file.link):
        return Fault(131008, "either id or link is required")
    return None


def _repeated(message: Message) -> Fault | None:
    match message.interactive:
        case Choice(action=ReplyButtons(buttons=buttons)):
            names = [button.reply.id for button in buttons]
        case Listing(action=Rows(sections=[Section(rows=rows)])):
            names = [row.id for row in rows]
        case _:
            return None
    return Fault(131009, "the ids are not unique") if len({*names}) < len(names) else None


def _not_sendable(message: Message, templates: Templates) -> Fault | None:
    use = message.template
    if use is None:
        return None
    template = templates.get((use.name, use.language.code))
    if template is None:
        return Fault(132001, f"template name ({use.name}) does not exist in {use.language.code}")
    if template.status not in SENDABLE:
        return Fault(NOT_SENDABLE.get(template.status, 132001), f"the template is {template.status}")
    return _unfit(use.values, template.names)


SENDABLE = {"APPROVED", "FLAGGED", "REINSTATED", "UNARCHIVED"}
NOT_SENDABLE = {"PAUSED": 132015, "DISABLED": 132016, "REJECTED": 132007}


def _unfit(values: list[Value], names: list[str]) -> Fault | None:
    if len(values) != len(names):
        return Fault(132000, f"number of localizable_params ({len(values)}) does not match ({len(names)})")
    given = [value.parameter_name or str(index) for index, value in enumerate(values, 1)]
    if sorted(given) != sorted(names):
        return Fault(132012, f"parameters {', '.join(given)} do not match {', '.join(names)}")
    if any(re.search(r"[\n\t]| {5}", value.text) for value in values):
        return Fault(132018, "a value has line breaks, tabs or more than four spaces in a row")
    return None


class Shown(NamedTuple):
    """What a phone shows of a message."""

    text: str
    buttons: list[Button]
    media: str


def shown(message: Message, templates: Templates) -> Shown:
    """As the person sees it, a template with its values filled in."""
    if message.template:
        return _filled(message.template, templates)
    match message.interactive:
        case Choice(body=body, action=ReplyButtons(buttons=replies)):
            return Shown(body.text, [Button(one.reply.title, reply=one.reply.id) for one in replies], "")
        case Listing(body=body, action=Rows(sections=sections)):
            rows = [row for section in sections for row in section.rows]
            return Shown(body.text, [Button(row.title, reply=row.id) for row in rows], "")
        case Opening(body=body, action=LinkAction(parameters=link)):
            return Shown(body.text, [Button(link.display_text, url=link.url)], "")
    if file := message.file:
        return Shown(getattr(file, "caption", ""), [], file.link or file.id or "")
    return Shown(message.text.body if message.text else "", [], "")


def _filled(use: TemplateUse, templates: Templates) -> Shown:
    template = templates[use.name, use.language.code]
    values = {value.parameter_name or str(index): value.text for index, value in enumerate(use.values, 1)}
    text = PLACEHOLDER.sub(lambda found: values[found[1]], template.body)
    return Shown(text, [Button(title, reply=title) for title in template.buttons], "")

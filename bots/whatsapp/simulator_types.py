"""What POST /messages takes, as types with Meta's limits (Cloud API: Messages, Interactive messages, Templates)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Title = Annotated[str, Meta(min_length=1, max_length=20)]
Url = Annotated[str, Meta(pattern="^https?://")]


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

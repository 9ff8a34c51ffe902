"""The body of POST /messages, as types with Meta's limits. Cloud API: Messages, Interactive messages, Templates."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Title = Annotated[str, Meta(min_length=1, max_length=20)]
Url = Annotated[str, Meta(pattern="^https?://")]


class Strict(Struct, forbid_unknown_fields=True, kw_only=True):
    """An object without other parameters: Meta refuses those that it does not know."""


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


class ListChoice(Strict, tag="list"):
    body: Body
    action: Rows


class LinkChoice(Strict, tag="cta_url"):
    body: Body
    action: LinkAction


class Value(Strict, tag="text"):
    text: Annotated[str, Meta(min_length=1)]
    parameter_name: str = ""


class Image(Strict, tag="image"):
    image: File


class Video(Strict, tag="video"):
    video: File


class Document(Strict, tag="document"):
    document: File


class Point(Strict):
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class Location(Strict, tag="location"):
    location: Point


class Payload(Strict, tag="payload"):
    payload: Annotated[str, Meta(min_length=1, max_length=128)]


class HeaderPart(Strict, tag="header"):
    parameters: Annotated[list[Value | Image | Video | Document | Location], Meta(min_length=1, max_length=1)]


class BodyPart(Strict, tag="body"):
    parameters: list[Value]


class ButtonPart(Strict, tag="button"):
    sub_type: Literal["url", "quick_reply"]
    index: Annotated[str, Meta(pattern=r"^[0-9]$")]
    parameters: Annotated[list[Value | Payload], Meta(min_length=1, max_length=1)]


class Language(Strict):
    code: str


class TemplateUse(Strict):
    name: str
    language: Language
    components: list[HeaderPart | BodyPart | ButtonPart] = []

    @property
    def values(self) -> list[Value]:
        parts = [part for part in self.components if isinstance(part, BodyPart)]
        return [value for part in parts for value in part.parameters]

    @property
    def header(self) -> Value | Image | Video | Document | Location | None:
        parts = [part for part in self.components if isinstance(part, HeaderPart)]
        return parts[0].parameters[0] if parts else None

    @property
    def buttons(self) -> dict[int, ButtonPart]:
        return {int(part.index): part for part in self.components if isinstance(part, ButtonPart)}


class Message(Strict):
    """The body of POST /messages for a message."""

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
    interactive: Choice | ListChoice | LinkChoice | None = None
    template: TemplateUse | None = None

    @property
    def file(self) -> File | Sound | None:
        return self.image or self.video or self.audio or self.document or self.sticker

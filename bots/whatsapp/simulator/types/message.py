"""The body of POST /messages for a message. Cloud API: Messages."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bots.whatsapp.simulator.types.common import File, Id, Point, Sound, Strict
from bots.whatsapp.simulator.types.interactive import Interactive
from bots.whatsapp.simulator.types.template_use import TemplateUse

Kind = Literal[
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
]


class Text(Strict):
    body: Annotated[str, Meta(min_length=1, max_length=4096)]
    preview_url: bool = False


class Context(Strict):
    message_id: Id


class Reaction(Strict):
    message_id: Id
    emoji: str


class Name(Struct, kw_only=True):
    formatted_name: Annotated[str, Meta(min_length=1)]


class Contact(Struct, kw_only=True):
    """A card of the address book; of the many fields that it may have, only these are shown."""

    name: Name
    phones: list[dict[str, str | None]] = []

    @property
    def text(self) -> str:
        """Return the card as a phone shows it."""
        return " ".join([self.name.formatted_name, *(phone.get("phone") or "" for phone in self.phones)]).strip()


class Message(Strict):
    messaging_product: Literal["whatsapp"]
    type: Kind = "text"
    recipient_type: Literal["individual"] = "individual"
    to: Annotated[str, Meta(pattern=r"^\+?[0-9][0-9 ()-]{4,24}$")] | None = None
    recipient: Annotated[str, Meta(pattern=r"^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$")] | None = None
    biz_opaque_callback_data: Annotated[str, Meta(max_length=512)] = ""
    recipient_identity_key_hash: str = ""
    context: Context | None = None
    text: Text | None = None
    image: File | None = None
    video: File | None = None
    audio: Sound | None = None
    document: File | None = None
    sticker: Sound | None = None
    location: Point | None = None
    contacts: Annotated[list[Contact], Meta(min_length=1)] | None = None
    reaction: Reaction | None = None
    interactive: Interactive | None = None
    template: TemplateUse | None = None

    @property
    def file(self) -> File | Sound | None:
        return self.image or self.video or self.audio or self.document or self.sticker

"""The messages that Viber's server takes, as types with its limits. REST Bot API: Message types; Keyboards."""

from html import unescape
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from bots.viber.outbound.broadcast import MOST
from bots.viber.outbound.messages import MAX_FILE_NAME, MAX_LABEL, MAX_URL
from gateway.domain.model.nouns import Button

Url = Annotated[str, Meta(max_length=MAX_URL, pattern="^https?://[^/]")]
Color = Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$")]


class Sender(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=28)]
    avatar: Url | None = None


class Key(Struct, rename="pascal"):
    """One button of a keyboard, or of a carousel."""

    action_body: Annotated[str, Meta(min_length=1)]
    action_type: Literal["reply", "open-url", "location-picker", "share-phone", "none"] = "reply"
    text: Annotated[str, Meta(max_length=MAX_LABEL)] = ""
    text_size: Literal["small", "regular", "large"] = "regular"
    columns: Annotated[int, Meta(ge=1, le=6)] = 6
    rows: Annotated[int, Meta(ge=1, le=7)] = 1
    silent: bool = False
    bg_color: Color | None = None
    image: Url | None = None

    @property
    def label(self) -> str:
        """Return the button's text as the phone shows it."""
        return unescape(self.text)


class Keyboard(Struct, rename="pascal"):
    buttons: Annotated[list[Key], Meta(min_length=1)]
    type: Literal["keyboard"]
    default_height: bool = False


class RichMedia(Struct, rename="pascal"):
    """A carousel of pictures and buttons."""

    buttons: Annotated[list[Key], Meta(min_length=1)]
    type: Literal["rich_media"]
    buttons_group_columns: Annotated[int, Meta(ge=1, le=6)] = 6
    buttons_group_rows: Annotated[int, Meta(ge=1, le=7)] = 7


class Contact(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=28)]
    phone_number: Annotated[str, Meta(min_length=1, max_length=18)]


class Location(Struct):
    lat: float | str
    lon: float | str


class SendRequest(Struct):
    """A request to send a message of any type."""

    sender: Sender
    type: Literal["text", "picture", "video", "file", "url", "contact", "location", "sticker", "rich_media"] | None = (
        None
    )
    receiver: str | None = None
    broadcast_list: Annotated[list[str], Meta(min_length=1, max_length=MOST)] | None = None
    min_api_version: Annotated[int, Meta(ge=1)] = 1
    tracking_data: Annotated[str, Meta(max_length=4000)] = ""
    text: str | None = ""
    media: Url | None = None
    size: Annotated[int, Meta(gt=0)] | None = None
    file_name: Annotated[str, Meta(max_length=MAX_FILE_NAME)] | None = None
    contact: Contact | None = None
    location: Location | None = None
    sticker_id: int | None = None
    rich_media: RichMedia | None = None
    keyboard: Keyboard | None = None

    @property
    def keys(self) -> list[Key]:
        """Return the buttons as Viber gets them, those of a carousel first."""
        return [key for part in (self.rich_media, self.keyboard) if part for key in part.buttons]

    @property
    def buttons(self) -> list[Button]:
        """Return the buttons as the phone shows them."""
        return [
            Button(key.label, url=key.action_body)
            if key.action_type == "open-url"
            else Button(key.label, reply=key.action_body)
            for key in self.keys
        ]

    @property
    def shown(self) -> str:
        """Return what the phone shows as the message's text."""
        if self.contact:
            return f"{self.contact.name} {self.contact.phone_number}"
        if self.location:
            return f"{self.location.lat}, {self.location.lon}"
        return self.text or ""

    def as_json(self) -> dict[str, Any]:
        """Return the request as it is kept in the books."""
        return dict(msgspec.to_builtins(self))

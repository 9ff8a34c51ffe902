"""What Viber's server refuses, and what a phone shows of the rest. REST Bot API: Message types; Keyboards."""

from collections.abc import Mapping
from html import unescape
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from bots.viber.api import MAX_JSON
from bots.viber.binding import EVENTS
from bots.viber.outbound.broadcast import MOST
from bots.viber.outbound.messages import MAX_FILE, MAX_FILE_NAME, MAX_LABEL, MAX_ROWS, MAX_VIDEO
from bots.viber.outbound.pieces import MAX_CAPTION, MAX_TEXT, PICTURES
from bots.wire.cutting import units
from gateway.domain.model.nouns import Button

LOCAL = {"127.0.0.1", "::1", "localhost"}
Url = Annotated[str, Meta(max_length=2000, pattern="^https?://[^/]")]


class Fault(NamedTuple):
    """A refusal of Viber's: its status, and its text for it."""

    status: int
    message: str


class Sender(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=28)]
    avatar: Url | None = None


class Key(Struct, rename="pascal"):
    """One button of a keyboard."""

    action_body: Annotated[str, Meta(min_length=1)]
    action_type: Literal["reply", "open-url", "none"] = "reply"
    text: Annotated[str, Meta(max_length=MAX_LABEL)] = ""
    text_size: Literal["small", "regular", "large"] = "regular"
    columns: Annotated[int, Meta(ge=1, le=6)] = 6
    rows: Annotated[int, Meta(ge=1, le=2)] = 1
    silent: bool = False

    @property
    def label(self) -> str:
        """Return the button's text as the phone shows it."""
        return unescape(self.text)


class Keyboard(Struct, rename="pascal"):
    buttons: Annotated[list[Key], Meta(min_length=1)]
    type: Literal["keyboard"]
    default_height: bool = False


class SendRequest(Struct):
    """A request to send, of any type that our channel uses."""

    type: Literal["text", "picture", "video", "file", "url"]
    sender: Sender
    receiver: str | None = None
    broadcast_list: Annotated[list[str], Meta(min_length=1, max_length=MOST)] | None = None
    min_api_version: Annotated[int, Meta(ge=1)] = 1
    tracking_data: Annotated[str, Meta(max_length=4000)] = ""
    text: str = ""
    media: Url | None = None
    size: Annotated[int, Meta(gt=0)] | None = None
    file_name: Annotated[str, Meta(max_length=MAX_FILE_NAME)] | None = None
    keyboard: Keyboard | None = None

    @property
    def keys(self) -> list[Key]:
        """Return the buttons as Viber gets them."""
        return self.keyboard.buttons if self.keyboard else []

    @property
    def buttons(self) -> list[Button]:
        """Return the buttons as the phone shows them."""
        return [
            Button(key.label, url=key.action_body)
            if key.action_type == "open-url"
            else Button(key.label, reply=key.action_body)
            for key in self.keys
        ]


class Webhook(Struct):
    """REST Bot API: Webhooks, setting a webhook."""

    url: str
    event_types: tuple[Annotated[str, Meta(pattern=f"^({'|'.join(EVENTS)})$")], ...] = EVENTS


NEEDS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "picture": ("media",),
    "video": ("media", "size"),
    "file": ("media", "size", "file_name"),
    "url": ("media",),
}
MOST_TEXT = {"text": MAX_TEXT, "picture": MAX_CAPTION}
MOST_BYTES = {"video": MAX_VIDEO, "file": MAX_FILE}
EXTENSIONS = {"picture": tuple(PICTURES), "video": (".mp4",)}


def read(body: bytes) -> SendRequest | Fault:
    """Return the message, or the fault for which Viber refuses it from any sender."""
    if len(body) > MAX_JSON:
        return Fault(3, "badData: the request is too large")
    try:
        request = msgspec.json.decode(body, type=SendRequest)
    except msgspec.ValidationError as error:
        return Fault(4 if "missing required field" in str(error) else 3, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Fault(3, f"badData: {error}")
    return _find_missing_field(request) or _find_violation(request) or request


def _find_missing_field(request: SendRequest) -> Fault | None:
    missing = [field for field in NEEDS[request.type] if not getattr(request, field)]
    return Fault(4, f"missingData: {missing[0]}") if missing else None


def _find_violation(request: SendRequest) -> Fault | None:
    path = urlsplit(request.media or "").path.lower()
    checks = {
        "text is too long": units(request.text) > MOST_TEXT.get(request.type, MAX_TEXT),
        "the file is too large": (request.size or 0) > MOST_BYTES.get(request.type, MAX_FILE),
        "the file's extension": not path.endswith(EXTENSIONS.get(request.type, ("",))),
        "the keyboard has too many rows": _rows(request.keys) > MAX_ROWS,
    }
    violation = next((words for words, is_violated in checks.items() if is_violated), None)
    return Fault(3, f"badData: {violation}") if violation else None


def _rows(keys: list[Key]) -> int:
    """Return the rows that the buttons fill; a row is six columns wide."""
    return -(-sum(key.columns * key.rows for key in keys) // 6)


def takes_webhook(url: str) -> bool:
    """Tell whether Viber accepts this address as a webhook. Only this machine may do without TLS."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)

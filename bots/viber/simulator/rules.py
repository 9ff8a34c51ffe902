"""What Viber's server refuses, and what a phone shows of the rest. REST Bot API: Message types; Keyboards."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from bots.viber.api import MAX_JSON
from bots.viber.binding import EVENTS
from bots.viber.outbound.messages import MAX_FILE, MAX_ROWS, MAX_VIDEO
from bots.viber.outbound.pieces import MAX_CAPTION, MAX_TEXT, PICTURES
from bots.viber.simulator.messages import Key, SendRequest
from bots.wire.cutting import units

LOCAL = {"127.0.0.1", "::1", "localhost"}


class Fault(NamedTuple):
    """A refusal of Viber's: its status, and its text for it."""

    status: int
    message: str


class Webhook(Struct):
    """REST Bot API: Webhooks, setting a webhook."""

    url: str
    event_types: tuple[Annotated[str, Meta(pattern=f"^({'|'.join(EVENTS)}|client_status|message)$")], ...] = EVENTS


NEEDS: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "picture": ("media",),
    "video": ("media", "size"),
    "file": ("media", "size", "file_name"),
    "url": ("media",),
    "contact": ("contact",),
    "location": ("location",),
    "sticker": ("sticker_id",),
    "rich_media": ("rich_media",),
}
RICH_VERSION = 2
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
    needs = NEEDS[request.type] if request.type else ("keyboard",)
    missing = [field for field in needs if not getattr(request, field)]
    if request.type is None and (missing or request.text):
        return Fault(4, "missingData: type")
    return Fault(4, f"missingData: {missing[0]}") if missing else None


def _find_violation(request: SendRequest) -> Fault | None:
    path, kind = urlsplit(request.media or "").path.lower(), request.type or ""
    checks = {
        "text is too long": units(request.text or "") > MOST_TEXT.get(kind, MAX_TEXT),
        "the file is too large": (request.size or 0) > MOST_BYTES.get(kind, MAX_FILE),
        "the file's extension": not path.endswith(EXTENSIONS.get(kind, ("",))),
        "the keyboard has too many rows": _rows(request.keyboard.buttons if request.keyboard else []) > MAX_ROWS,
        "a button of type open-url has no URL": any(map(_has_no_url, request.keys)),
        "rich_media needs min_api_version 2": kind == "rich_media" and request.min_api_version < RICH_VERSION,
    }
    violation = next((words for words, is_violated in checks.items() if is_violated), None)
    return Fault(3, f"badData: {violation}") if violation else None


def _rows(keys: list[Key]) -> int:
    """Return the rows that the buttons fill; a row is six columns wide."""
    return -(-sum(key.columns * key.rows for key in keys) // 6)


def _has_no_url(key: Key) -> bool:
    return key.action_type == "open-url" and not ("://" in key.action_body and urlsplit(key.action_body).netloc)


def takes_webhook(url: str) -> bool:
    """Tell whether Viber accepts this address as a webhook. Only this machine may do without TLS."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)

"""What Telegram's server refuses, for the stand-in. Bot API: Making requests, sendMessage, InlineKeyboardButton.

The descriptions are the real server's; the public documentation promises only their status.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bots.telegram.outbound.pieces import CAPTION_LIMIT, TEXT_LIMIT
from bots.wire.cutting import units
from gateway.domain.model.nouns import Button

LOCAL = {"127.0.0.1", "::1", "localhost"}
PORTS = {None, 80, 88, 443, 8443}
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{0,256}")
FILE_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
MAX_CALLBACK_DATA = 64
DELETABLE = timedelta(hours=48)


class Refusal(NamedTuple):
    """An error response of Telegram's. Bot API: Making requests."""

    status: int
    description: str
    parameters: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the response."""
        body = {"ok": False, "error_code": self.status, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


class Refused(Exception):
    """Raised where the real server would refuse. `refusal` is the response."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.description)
        self.refusal = refusal


CHAT_NOT_FOUND = Refusal(400, "Bad Request: chat not found")
BLOCKED = Refusal(403, "Forbidden: bot was blocked by the user")
NOT_STARTED = Refusal(403, "Forbidden: bot can't initiate conversation with a user")
UNAUTHORIZED = Refusal(401, "Unauthorized")
NO_SUCH_METHOD = Refusal(404, "Not Found: method not found")

ERRORS: Mapping[str, Refusal] = {
    "400": CHAT_NOT_FOUND,
    "400-peer": Refusal(400, "Bad Request: PEER_ID_INVALID"),
    "400-rights": Refusal(400, "Bad Request: not enough rights to send text messages to the chat"),
    "401": UNAUTHORIZED,
    "403": BLOCKED,
    "403-start": NOT_STARTED,
    "403-gone": Refusal(403, "Forbidden: user is deactivated"),
    "403-kicked": Refusal(403, "Forbidden: bot was kicked from the supergroup chat"),
    "404": Refusal(404, "Not Found"),
    "409": Refusal(409, "Conflict: terminated by other getUpdates request; only one bot instance may run"),
    "413": Refusal(413, "Request Entity Too Large"),
    "429": Refusal(429, "Too Many Requests: retry after 1", {"retry_after": 1}),
    "429-bare": Refusal(429, "Too Many Requests"),
    "500": Refusal(500, "Internal Server Error"),
    "502": Refusal(502, "Bad Gateway"),
}
"""The errors that the stand-in can imitate: the status, and a word where a status has several reasons."""


class _Key(Struct):
    text: str = ""
    url: str = ""
    callback_data: str = ""


class _Markup(Struct):
    inline_keyboard: list[list[_Key]] = []


def bad_request(description: str) -> Refused:
    """Return a refusal with status 400 and this description."""
    return Refused(Refusal(400, f"Bad Request: {description}"))


def text_of(params: Mapping[str, str]) -> str:
    """Return the text of sendMessage, trimmed as the server does it. Raises Refused."""
    text = params.get("text", "").strip()
    if not text:
        raise bad_request("message text is empty")
    if units(text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return text


def caption_of(params: Mapping[str, str]) -> str:
    """Return the caption of a file, trimmed. Raises Refused."""
    caption = params.get("caption", "").strip()
    if units(caption) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return caption


def file_of(params: Mapping[str, str], kind: str) -> str:
    """Return the URL or the file_id that a message is to carry. Raises Refused."""
    file = params.get(kind, "")
    if not file:
        raise bad_request(f"there is no {kind.replace('_', ' ')} in the request")
    if urlsplit(file).scheme not in {"http", "https"} and not FILE_ID.fullmatch(file):
        raise bad_request("wrong file identifier/HTTP URL specified")
    return file


def buttons_of(params: Mapping[str, str]) -> list[Button]:
    """Return the inline keyboard's buttons, row by row. Raises Refused."""
    try:
        markup = msgspec.json.decode(params.get("reply_markup", "{}"), type=_Markup)
    except msgspec.DecodeError:
        raise bad_request("can't parse reply keyboard markup JSON object") from None
    return [_button(key) for row in markup.inline_keyboard for key in row]


def _button(key: _Key) -> Button:
    if not key.text:
        raise bad_request("keyboard button text must be non-empty")
    if not key.url and not key.callback_data:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(key.callback_data.encode()) > MAX_CALLBACK_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    if key.url and not urlsplit(key.url).netloc:
        raise bad_request(f"inline keyboard button URL '{key.url}' is invalid: Wrong HTTP URL")
    return Button(key.text, reply=key.callback_data, url=key.url)


def check_deletable(age: timedelta) -> None:
    """Raise Refused for an existing message that is too old, as deleteMessage does."""
    if age >= DELETABLE:
        raise bad_request("message can't be deleted for everyone")


def check_webhook(url: str, secret: str) -> None:
    """Raise Refused for an address or a secret that setWebhook refuses. Only this machine may do without TLS."""
    parts = urlsplit(url)
    if parts.hostname not in LOCAL:
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if parts.port not in PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    if not SECRET_TOKEN.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")

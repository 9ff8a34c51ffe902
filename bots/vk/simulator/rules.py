"""What VK's API accepts, for the stand-in. VK API: messages.send, Keyboards for bots."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from bots.vk.outbound.keyboard import MAX_BUTTONS, MAX_LABEL, MAX_PAYLOAD, MAX_SINGLE
from bots.vk.outbound.pieces import TEXT_LIMIT
from bots.wire.cutting import units
from gateway.domain.model.nouns import Button

INT32 = 2**31
MAX_IN_ROW = 5
LINK = re.compile(r"\[[a-z0-9:/._-]+\|([^\[\]]+)\]", re.IGNORECASE)
ENTITY = re.compile(r"&#(\d+);")
PEER_CODES = {18, 900, 901, 902, 917, 922, 927, 932, 935, 936, 943, 944, 945, 946, 950, 1012, 1021, 3610}
"""Errors about one recipient: they are in the recipient's entry of the answer, not above all entries."""


class VkError(Exception):
    """Raised where VK would refuse. `words` is its text."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.words = words or f"error {code}, as planned"


class Action(Struct):
    type: str
    label: str = ""
    payload: str | None = ""
    link: str = ""


class Key(Struct):
    action: Action
    color: str = "secondary"


class Keyboard(Struct):
    buttons: list[list[Key]]
    inline: bool = False


def invalid_parameter(parameter: str) -> VkError:
    """Return VK's error for a missing or wrong parameter."""
    return VkError(100, f"One of the parameters specified was missing or invalid: {parameter}")


def number(params: Mapping[str, str], name: str) -> int:
    """Return a required integer. Raises VkError."""
    try:
        return int(params[name])
    except (KeyError, ValueError):
        raise invalid_parameter(f"{name} is undefined or not integer") from None


def random_id_of(params: Mapping[str, str]) -> int:
    """Return the message's random_id. Raises VkError where it is no 32-bit integer."""
    random_id = number(params, "random_id")
    if not -INT32 <= random_id < INT32:
        raise invalid_parameter("random_id is not a 32-bit integer")
    return random_id


def shown_text(params: Mapping[str, str]) -> str:
    """Return the text as a person's app shows it, with VK's markup applied. Raises VkError."""
    text = params.get("message", "")
    if units(text) > TEXT_LIMIT:
        raise VkError(914, "Message is too long")
    if not text.strip() and not params.get("attachment"):
        raise invalid_parameter("message is empty or invalid")
    return ENTITY.sub(lambda entity: chr(int(entity[1])), LINK.sub(r"\1", text)).strip()


def buttons_of(params: Mapping[str, str]) -> list[Button]:
    """Return the inline keyboard's buttons, row by row. Raises VkError."""
    if not (markup := params.get("keyboard")):
        return []
    try:
        keyboard = msgspec.json.decode(markup, type=Keyboard)
    except msgspec.DecodeError:
        raise VkError(911, "Keyboard format is invalid") from None
    rows = keyboard.buttons
    if not keyboard.inline:
        raise VkError(912)
    if len(rows) > MAX_SINGLE or sum(map(len, rows)) > MAX_BUTTONS or any(len(row) > MAX_IN_ROW for row in rows):
        raise VkError(911, "Keyboard format is invalid: too many buttons")
    return [_button(key.action) for row in rows for key in row]


def _button(action: Action) -> Button:
    payload = action.payload
    if payload is None or not action.label or len(action.label) > MAX_LABEL or len(payload) > MAX_PAYLOAD:
        raise VkError(911, "Keyboard format is invalid: label or payload")
    if action.type == "open_link":
        if not action.link.startswith(("http://", "https://")):
            raise VkError(911, "Keyboard format is invalid: link")
        return Button(action.label, url=action.link)
    if action.type not in {"callback", "text"} or not is_object(payload):
        raise VkError(911, "Keyboard format is invalid: type or payload")
    return Button(action.label, reply=payload)


def is_object(text: str) -> bool:
    """Tell whether the text is a JSON object."""
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False


def error_body(error: VkError, params: Mapping[str, str]) -> dict[str, Any]:
    """Return an error as VK writes it, with all parameters of the request."""
    request_params = [{"key": key, "value": value} for key, value in params.items()]
    return {"error": {"error_code": error.code, "error_msg": error.words, "request_params": request_params}}


def peers_of(params: Mapping[str, str]) -> list[str]:
    """Return the recipients of a message. Raises VkError."""
    value = params.get("peer_ids") or params.get("peer_id") or ""
    peers = value.split(",")
    if not all(peer.lstrip("-").isdecimal() for peer in peers):
        raise invalid_parameter("peer_ids is invalid")
    return peers


def failed_entry(peer: str, error: VkError) -> dict[str, Any]:
    """Return the entry in the answer for a recipient whose message failed."""
    return {"peer_id": int(peer), "message_id": 0, "error": {"code": error.code, "description": error.words}}

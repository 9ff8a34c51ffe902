"""What VK's API accepts, for the stand-in. VK API: messages.send."""

import re
from collections.abc import Mapping
from typing import Any

from bots.vk.outbound.pieces import TEXT_LIMIT
from bots.wire.cutting import units

INT32 = 2**31
MAX_PEERS, MAX_ATTACHMENTS = 100, 10
FIRST_CHAT = 2_000_000_000
CAPTCHA = 14
RECIPIENTS = ("peer_ids", "user_ids", "peer_id", "user_id", "chat_id")
OTHER_CONTENTS = ("attachment", "sticker_id", "lat", "forward", "forward_messages", "template")
"""What a message may have instead of a text."""

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
    if not text.strip() and not any(map(params.get, OTHER_CONTENTS)):
        raise invalid_parameter("message is empty or invalid")
    return ENTITY.sub(lambda entity: chr(int(entity[1])), LINK.sub(r"\1", text)).strip()


def error_body(error: VkError, params: Mapping[str, str]) -> dict[str, Any]:
    """Return an error as VK writes it, with all parameters of the request but the token."""
    request_params = [{"key": key, "value": value} for key, value in params.items() if key != "access_token"]
    body = {"error_code": error.code, "error_msg": error.words, "request_params": request_params}
    captcha = {"captcha_sid": "239633676097", "captcha_img": "https://api.vk.ru/captcha.php?sid=239633676097"}
    return {"error": body | (captcha if error.code == CAPTCHA else {})}


def peers_of(params: Mapping[str, str]) -> list[str]:
    """Return the recipients of a message, at most 100. Raises VkError."""
    value = next((params[name] for name in RECIPIENTS if params.get(name)), "")
    peers = value.split(",")
    if not all(peer.lstrip("-").isdecimal() for peer in peers):
        raise invalid_parameter("peer_ids is invalid")
    if len(peers) > MAX_PEERS:
        raise invalid_parameter(f"peer_ids should contain up to {MAX_PEERS} items")
    return [str(FIRST_CHAT + int(peer)) for peer in peers] if value == params.get("chat_id") else peers


def is_for_many(params: Mapping[str, str]) -> bool:
    """Tell whether the answer is to have an entry for each recipient, and not just the message's id."""
    return bool(params.get("peer_ids") or params.get("user_ids"))


def attachments_of(params: Mapping[str, str]) -> list[str]:
    """Return the names of a message's attachments, at most ten. Raises VkError."""
    names = [name for name in params.get("attachment", "").split(",") if name]
    if len(names) > MAX_ATTACHMENTS:
        raise VkError(914, "Message is too long: too many attachments")
    return names


def failed_entry(peer: str, error: VkError) -> dict[str, Any]:
    """Return the entry in the answer for a recipient whose message failed."""
    return {"peer_id": int(peer), "message_id": 0, "error": {"code": error.code, "description": error.words}}

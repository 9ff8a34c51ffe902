"""Builds Telegram's objects as its server writes them, for the stand-in. Bot API: Available types."""

import hashlib
from collections.abc import Mapping
from typing import Any

from bots.simulation.simulation import Phone
from bots.telegram import is_group

SIZE = {"width": 640, "height": 480}
FILES: Mapping[str, Mapping[str, Any]] = {
    "photo": SIZE,
    "video": {**SIZE, "duration": 7},
    "animation": {**SIZE, "duration": 7},
    "video_note": {"length": 240, "duration": 7},
    "audio": {"duration": 7},
    "voice": {"duration": 7},
    "document": {},
    "sticker": {**SIZE, "type": "regular", "is_animated": False, "is_video": False},
}
"""The fields of a file besides its ids."""


def key_of(message: Mapping[str, Any]) -> str:
    """Return the id under which our channel knows the message."""
    return f"{message['chat']['id']}/{message['message_id']}"


def chat_of(phone: Phone) -> dict[str, Any]:
    """Return the phone's chat with the bot. Bot API: Chat."""
    if is_group(phone.user):
        return {"id": int(phone.user), "type": "supergroup", "title": phone.name}
    return {"id": int(phone.user), "type": "private", "first_name": phone.name}


def user_of(phone: Phone) -> dict[str, Any]:
    """Return the phone's owner. Bot API: User."""
    return {"id": int(phone.user), "is_bot": False, "first_name": phone.name, "language_code": "ru"}


def entities_of(text: str) -> dict[str, Any]:
    """Return the entity that marks a command in the text, as the apps send it."""
    length = len(text.split(maxsplit=1)[0]) if text.startswith("/") else 0
    return {"entities": [{"type": "bot_command", "offset": 0, "length": length}]} if length else {}


def file_of(kind: str, reference: str) -> Any:
    """Return a file's object. A file that comes by URL is kept under an id of Telegram's own."""
    digest = hashlib.sha256(reference.encode()).hexdigest()
    file = {
        "file_id": f"AgAC{digest}" if "://" in reference else reference,
        "file_unique_id": digest[:15],
        **FILES[kind],
    }
    return [file] if kind == "photo" else file

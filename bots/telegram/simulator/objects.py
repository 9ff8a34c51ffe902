"""Builds Telegram's objects as its server writes them, for the stand-in. Bot API: Available types."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from bots.simulation.simulation import Phone
from bots.telegram import is_group
from bots.telegram.simulator.checks.files import File
from bots.telegram.simulator.checks.refusals import bad_request
from bots.telegram.simulator.parameters import Parameters

Json = dict[str, Any]

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

NAMED = {"video", "animation", "audio", "document"}
"""The files that keep their names."""

GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


def key_of(message: Mapping[str, Any]) -> str:
    """Return the id under which our channel knows the message."""
    return f"{message['chat']['id']}/{message['message_id']}"


def chat_of(phone: Phone) -> Json:
    """Return the phone's chat with the bot. Bot API: Chat."""
    if is_group(phone.user):
        return {"id": int(phone.user), "type": "supergroup", "title": phone.name}
    return {"id": int(phone.user), "type": "private", "first_name": phone.name}


def full_chat_of(phone: Phone) -> Json:
    """Return the answer of getChat. Bot API: ChatFullInfo."""
    gifts = dict.fromkeys(GIFTS, True)
    return chat_of(phone) | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}


def user_of(phone: Phone) -> Json:
    """Return the phone's owner. Bot API: User."""
    return {"id": int(phone.user), "is_bot": False, "first_name": phone.name, "language_code": "ru"}


def entities_of(text: str) -> Json:
    """Return the entity that marks a command in the text, as the apps send it."""
    length = len(text.split(maxsplit=1)[0]) if text.startswith("/") else 0
    return {"entities": [{"type": "bot_command", "offset": 0, "length": length}]} if length else {}


def file_of(kind: str, file: File) -> Any:
    """Return a file's object. A file that comes by URL or is uploaded is kept under an id of Telegram's own."""
    digest = hashlib.sha256(file.reference.encode() or file.body).hexdigest()
    is_known = file.reference and "://" not in file.reference
    names = {"file_name": file.name, "mime_type": file.mime} if kind in NAMED and file.name else {}
    item = {
        "file_id": file.reference if is_known else f"AgAC{digest}",
        "file_unique_id": digest[:15],
        **FILES[kind],
        **names,
        **({"file_size": len(file.body)} if file.body else {}),
    }
    return [item] if kind == "photo" else item


def _location(call: Parameters) -> Json:
    return {"location": {name: call.number(name) for name in ("latitude", "longitude")}}


def _venue(call: Parameters) -> Json:
    place = _location(call)
    return place | {"venue": place | {name: call.required(name) for name in ("title", "address")}}


def _contact(call: Parameters) -> Json:
    return {"contact": {name: call.required(name) for name in ("phone_number", "first_name")}}


def _dice(call: Parameters) -> Json:
    return {"dice": {"emoji": call.fields.get("emoji", "🎲"), "value": 4}}


def _poll(call: Parameters) -> Json:
    options = [option if isinstance(option, str) else option["text"] for option in call.decoded("options")]
    if not 2 <= len(options) <= 12:  # noqa: PLR2004 - Bot API: sendPoll
        raise bad_request("poll must have at least 2 and at most 12 options")
    return {
        "poll": {
            "id": hashlib.sha256(call.required("question").encode()).hexdigest()[:18],
            "question": call.required("question"),
            "options": [
                {"text": text, "voter_count": 0, "persistent_id": str(index)} for index, text in enumerate(options)
            ],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": call.fields.get("type", "regular"),
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        }
    }


CONTENTS: Mapping[str, Callable[[Parameters], Json]] = {
    "location": _location,
    "venue": _venue,
    "contact": _contact,
    "dice": _dice,
    "poll": _poll,
}
"""The contents that are neither a text nor a file, by the last word of their method."""

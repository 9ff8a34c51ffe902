"""What a person's message says, in words that every channel understands. REST Bot API: Receive message from user."""

from bots.viber.inbound.callbacks import Said, User
from gateway.domain.model.event import Person
from gateway.domain.model.nouns import Content, Media

FILES = {"picture": "image", "video": "video", "file": "document", "sticker": "sticker"}
"""Viber's words for files, and ours for media."""

LINKS = ("https://", "http://")


def content(said: Said) -> Content:
    """A link is the text of its message; a file of a kind that is new to us stays one."""
    if said.type == "url":
        return Content("\n".join(filter(None, dict.fromkeys([said.text, said.media]))))
    return Content(said.text or _words(said), _file(said))


def person(user: User) -> Person:
    return Person(name=user.name or "", language=user.language or "")


def is_link(said: Said) -> bool:
    return (said.media or said.text or "").startswith(LINKS) and said.type in {"text", "url"}


def _file(said: Said) -> Media | None:
    if not said.media and said.sticker_id is None:
        return None
    sticker = "" if said.sticker_id is None else str(said.sticker_id)
    return Media(FILES.get(said.type, "document"), said.media or "", sticker, said.file_name or "")


def _words(said: Said) -> str:
    """What can be said in words of a message that has none of its own."""
    if said.contact:
        return f"{said.contact.phone_number or ''} {said.contact.name or ''}".strip()
    return f"{said.location.lat}, {said.location.lon}" if said.location else ""

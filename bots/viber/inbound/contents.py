"""Translates a person's message into content that every channel understands.

REST Bot API: Receive message from user.
"""

from collections.abc import Iterator

from bots.viber.inbound.callbacks import MessageBody, User
from gateway.domain.model.event import Person
from gateway.domain.model.nouns import Content, Media

FILES = {"picture": "image", "video": "video", "file": "document", "sticker": "sticker"}
"""Our media type for each of Viber's message types."""

LINKS = ("https://", "http://")


def content(message: MessageBody) -> Content:
    """Return the text and the file of a message. A link becomes text; a file of an unknown type becomes a document."""
    if message.type == "url":
        return Content("\n".join(filter(None, dict.fromkeys([message.text, message.media]))))
    return Content("\n".join(filter(None, (message.text, *_details(message)))), _file(message))


def own(message: MessageBody) -> str | None:
    """Return what the person wrote themself, where the text holds more: see Inbound.own."""
    return (message.text or "") if any(_details(message)) else None


def person(user: User) -> Person:
    """Return the user as a person."""
    return Person(name=user.name or "", language=user.language or "")


def is_link(message: MessageBody) -> bool:
    """Tell whether the message is nothing but a link."""
    return (message.media or message.text or "").startswith(LINKS) and message.type in {"text", "url"}


def _file(message: MessageBody) -> Media | None:
    if not message.media and message.sticker_id is None:
        return None
    sticker = "" if message.sticker_id is None else str(message.sticker_id)
    return Media(FILES.get(message.type, "document"), message.media or "", sticker, message.file_name or "")


def _details(message: MessageBody) -> Iterator[str]:
    """Yield the words of a contact and of a place."""
    if message.contact:
        yield f"{message.contact.phone_number or ''} {message.contact.name or ''}".strip()
    if message.location:
        yield f"{message.location.lat}, {message.location.lon}"

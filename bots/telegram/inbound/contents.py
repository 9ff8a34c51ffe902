"""What a person's message says, in words that every channel understands. Bot API: Message."""

from typing import Any

from bots.telegram.inbound.updates import File, Keyboard, Message, User
from gateway.domain.model.event import Person
from gateway.domain.model.identifier import identifiers
from gateway.domain.model.nouns import Content, Media

FILES = {
    "animation": "animation",  # before document: Telegram sends both for old clients' sake
    "photo": "image",
    "video": "video",
    "video_note": "video_note",
    "voice": "voice",
    "audio": "audio",
    "document": "document",
    "sticker": "sticker",
}
"""Telegram's words for files, and ours for media."""

KINDS = (
    "text",
    *FILES,
    "contact",
    "venue",
    "location",
    "poll",
    "dice",
    "game",
    "story",
    "checklist",
    "paid_media",
    "rich_message",
)
"""What a person may send, the more exact word first. Anything else is a notice about the chat, or new."""


def content(kind: str, message: Message) -> Content:
    file = _file(kind, message)
    media = Media(FILES[kind], id=file.file_id, name=file.file_name) if file else None
    return Content(message.text or message.caption or _words(kind, message), media)


def _file(kind: str, message: Message) -> File | None:
    """A photo comes in several sizes, the largest last."""
    if kind == "photo":
        return message.photo[-1] if message.photo else None
    return getattr(message, kind) if kind in FILES else None


def _words(kind: str, message: Message) -> str:
    """What can be said in words of a message that has none of its own."""
    if kind == "contact" and (contact := message.contact):
        return f"{_phone(contact.phone_number)} {_name(contact)}".strip()
    if message.location:
        return f"{message.location.latitude}, {message.location.longitude}"
    return message.sticker.emoji if message.sticker else ""


def person(sender: User, message: Message | None = None) -> Person:
    """A contact tells the sender's own number only if it is the sender's own."""
    contact = message.contact if message else None
    own = contact is not None and contact.user_id == sender.id
    number = _phone(contact.phone_number) if contact and own else None
    return Person(_name(sender), identifiers(phone=number), sender.language_code)


def _name(person: Any) -> str:
    return f"{person.first_name} {person.last_name}".strip()


def _phone(number: str) -> str:
    digits = "".join(filter(str.isdecimal, number))
    return f"+{digits}" if digits else ""


def label(keyboard: Keyboard | None, pressed: str) -> str:
    """The text of the button that was pressed, as the person saw it."""
    rows = keyboard.inline_keyboard if keyboard else []
    return next((button.text for row in rows for button in row if button.callback_data == pressed), pressed)

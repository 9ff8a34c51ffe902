"""Translates a person's message into content that every channel understands. Bot API: Message."""

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
"""Our media type for each of Telegram's file fields."""

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
"""The kinds of message that a person may send, the more exact one first. Others are notices about the chat, or new."""


def content(kind: str, message: Message) -> Content:
    """Return the text and the file of a message of this kind."""
    file = _file(kind, message)
    media = Media(FILES[kind], id=file.file_id, name=file.file_name) if file else None
    return Content(message.text or message.caption or _text_of(kind, message), media)


def _file(kind: str, message: Message) -> File | None:
    """Return the file of a message. A photo comes in several sizes, the largest last."""
    if kind == "photo":
        return message.photo[-1] if message.photo else None
    return getattr(message, kind) if kind in FILES else None


def _text_of(kind: str, message: Message) -> str:
    """Return a text for a message that has none of its own: a contact, a place or a sticker."""
    if kind == "contact" and (contact := message.contact):
        return f"{_phone(contact.phone_number)} {_name(contact)}".strip()
    if message.location:
        return f"{message.location.latitude}, {message.location.longitude}"
    return message.sticker.emoji if message.sticker else ""


def person(sender: User, message: Message | None = None) -> Person:
    """Return the sender as a person. A contact counts as their phone number only if it is their own."""
    contact = message.contact if message else None
    is_own = contact is not None and contact.user_id == sender.id
    number = _phone(contact.phone_number) if contact and is_own else None
    return Person(_name(sender), identifiers(phone=number), sender.language_code)


def _name(person: Any) -> str:
    return f"{person.first_name} {person.last_name}".strip()


def _phone(number: str) -> str:
    digits = "".join(filter(str.isdecimal, number))
    return f"+{digits}" if digits else ""


def label(keyboard: Keyboard | None, pressed: str) -> str:
    """Return the text of the pressed button as the person saw it, or its data where the keyboard is gone."""
    rows = keyboard.inline_keyboard if keyboard else []
    return next((button.text for row in rows for button in row if button.callback_data == pressed), pressed)

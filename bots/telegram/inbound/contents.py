"""Translates a person's message into content that every channel understands. Bot API: Message."""

from collections.abc import Iterator
from typing import Any

from bots.telegram.inbound.updates import File, Keyboard, Message, User
from bots.wire.data import data
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

OBJECTS = ("web_app_data", "users_shared", "chat_shared", "successful_payment", "refunded_payment")
"""The kinds of message by which a person hands something to the bot's program. They have no text."""

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
    *OBJECTS,
)
"""The kinds of message that a person may send, the more exact one first. Others are notices about the chat, or new."""


def content(kind: str, message: Message, item: object) -> Content:
    """Return the text and the file of a message of this kind, or what it hands to programs. item: the kind's field."""
    if kind in OBJECTS:
        return Content(data=data(kind, item))
    file = _file(kind, message)
    media = Media(FILES[kind], id=file.file_id, name=file.file_name) if file else None
    return Content(_lines(message.text or message.caption, *_details(message)), media)


def own(message: Message) -> str | None:
    """Return what the person wrote themself, where the text holds more: see Inbound.own.

    What is forwarded, or sent by way of another bot, is somebody else's. Bot API: Message, forward_origin, via_bot.
    """
    if message.forward_origin or message.forward_date or message.via_bot:
        return ""
    return (message.text or message.caption) if any(_details(message)) else None


def _file(kind: str, message: Message) -> File | None:
    """Return the file of a message. A photo comes in several sizes, the largest last."""
    if kind == "photo":
        return message.photo[-1] if message.photo else None
    return getattr(message, kind) if kind in FILES else None


def _details(message: Message) -> Iterator[str]:
    """Yield the words of what is neither text nor file: a contact, a place, a poll and the like."""
    if contact := message.contact:
        yield f"{_phone(contact.phone_number)} {_name(contact)}".strip()
    if message.venue:
        yield _lines(message.venue.title, message.venue.address)
    if message.location:
        yield f"{message.location.latitude}, {message.location.longitude}"
    if message.poll:
        yield _lines(message.poll.question, *(option.text for option in message.poll.options))
    if message.checklist:
        yield _lines(message.checklist.title, *(task.text for task in message.checklist.tasks))
    if message.dice:
        yield f"{message.dice.emoji} {message.dice.value}"
    yield message.sticker.emoji if message.sticker else ""
    yield message.game.title if message.game else ""


def _lines(*texts: str) -> str:
    return "\n".join(filter(None, texts))


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

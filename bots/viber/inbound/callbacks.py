"""The parts of Viber's callbacks that we read. All other fields are ignored.

REST Bot API: Callbacks. Fields that Viber leaves out or sets to null are the same to us.
"""

from msgspec import Struct


class User(Struct):
    """REST Bot API: sender, user."""

    id: str
    name: str | None = None
    language: str | None = None


class SharedContact(Struct):
    name: str | None = None
    phone_number: str | None = None


class Location(Struct):
    lat: float
    lon: float


class MessageBody(Struct):
    """REST Bot API: Receive message from user, `message`."""

    type: str
    text: str | None = None
    media: str | None = None
    file_name: str | None = None
    sticker_id: int | str | None = None
    contact: SharedContact | None = None
    location: Location | None = None


class Message(Struct):
    sender: User
    message: MessageBody
    silent: bool | None = None


class ConversationStarted(Struct):
    """REST Bot API: Conversation started."""

    user: User
    context: str | None = None


class Subscribed(Struct):
    user: User


class Unsubscribed(Struct):
    user_id: str


class Report(Struct):
    """REST Bot API: Message receipts callbacks, Failed callback."""

    user_id: str
    message_token: int | str
    desc: str | None = None

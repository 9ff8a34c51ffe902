"""The parts of Telegram's objects that we read. All other fields are ignored.

Bot API: Available types. Words that Telegram may add to (a chat's type, a member's status) stay plain strings.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

Moment = Annotated[int, Meta(ge=0, le=253402300799)]
"""Unix seconds, up to the year 9999, where Python's own calendar ends."""


class User(Struct):
    """Bot API: User."""

    id: int
    first_name: str = ""
    last_name: str = ""
    language_code: str = ""
    is_bot: bool = False


class Chat(Struct):
    """Bot API: Chat. `id` is negative for groups and channels."""

    id: int
    type: str = ""
    title: str = ""


class File(Struct):
    """What photos, videos, documents, stickers and the like have in common."""

    file_id: str
    file_name: str = ""
    emoji: str = ""


class SharedContact(Struct):
    """Bot API: Contact. The number comes with or without its plus, and sometimes with spaces."""

    phone_number: str
    first_name: str = ""
    last_name: str = ""
    user_id: int | None = None


class Location(Struct):
    """Bot API: Location."""

    latitude: float
    longitude: float


class Venue(Struct):
    """Bot API: Venue."""

    title: str = ""
    address: str = ""


class Words(Struct):
    """What options of polls and tasks of checklists have in common."""

    text: str = ""


class Poll(Struct):
    """Bot API: Poll."""

    question: str = ""
    options: list[Words] = []


class Checklist(Struct):
    """Bot API: Checklist."""

    title: str = ""
    tasks: list[Words] = []


class Dice(Struct):
    """Bot API: Dice."""

    emoji: str = ""
    value: int = 0


class Game(Struct):
    """Bot API: Game."""

    title: str = ""


class Button(Struct):
    """Bot API: InlineKeyboardButton."""

    text: str = ""
    callback_data: str | None = None


class Keyboard(Struct):
    """Bot API: InlineKeyboardMarkup."""

    inline_keyboard: list[list[Button]] = []


class Message(Struct):
    """Bot API: Message. `date` is 0 in a message that has become inaccessible."""

    message_id: int
    date: Moment
    chat: Chat
    sender: User | None = field(name="from", default=None)
    sender_chat: Chat | None = None
    is_automatic_forward: bool = False
    is_topic_message: bool = False
    message_thread_id: int | None = None
    edit_date: Moment | None = None
    media_group_id: str = ""
    text: str = ""
    caption: str = ""
    photo: list[File] = []
    animation: File | None = None
    video: File | None = None
    video_note: File | None = None
    voice: File | None = None
    audio: File | None = None
    document: File | None = None
    sticker: File | None = None
    contact: SharedContact | None = None
    location: Location | None = None
    venue: Venue | None = None
    poll: Poll | None = None
    checklist: Checklist | None = None
    dice: Dice | None = None
    game: Game | None = None
    reply_markup: Keyboard | None = None
    forward_origin: Any = None
    forward_date: Any = None
    via_bot: Any = None
    migrate_to_chat_id: int | None = None
    migrate_from_chat_id: int | None = None


class CallbackQuery(Struct):
    """Bot API: CallbackQuery. `message` is missing where the button was part of an inline result."""

    id: str
    message: Message
    sender: User = field(name="from")
    data: str = ""


class Member(Struct):
    """Bot API: ChatMember."""

    status: str


class Membership(Struct):
    """Bot API: ChatMemberUpdated."""

    chat: Chat
    date: Moment
    new_chat_member: Member

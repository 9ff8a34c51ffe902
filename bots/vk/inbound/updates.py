"""The parts of VK's objects that we read. All other fields are ignored.

VK API: Events in communities, objects of personal messages and attachments.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

Moment = Annotated[int, Meta(ge=0, le=253402300799)]
"""Unix seconds, up to the year 9999, where Python's own calendar ends."""

T = TypeVar("T")


class Message(Struct):
    """A personal message. `peer_id` is the person, or a group chat from 2000000000 on.

    `from_id`: who wrote it; a community's is negative. `update_time`: when it was edited. `out`: 1 where the community
    wrote it. `payload`: JSON that a button carried. `ref`: the deep link's code.
    """

    peer_id: int
    conversation_message_id: int
    date: Moment
    from_id: int = 0
    out: int = 0
    update_time: Moment = 0
    text: str = ""
    payload: Any = None
    ref: str = ""
    attachments: list[dict[str, Any]] = []
    geo: dict[str, Any] = {}
    action: dict[str, Any] = {}
    fwd_messages: Any = None


class Press(Struct):
    """message_event: a callback button was pressed. `event_id` serves messages.sendMessageEventAnswer for a minute."""

    user_id: int
    peer_id: int
    event_id: str
    payload: Any = None
    conversation_message_id: int = 0


class Permission(Struct):
    """message_allow and message_deny. `key`: the code that the widget or the mini app was given for the person."""

    user_id: int
    key: str = ""


class Size(Struct):
    """A photo comes in several sizes."""

    url: str
    width: int = 0
    height: int = 0


class File(Struct):
    """What photos, documents, videos, posts and the like have in common. `id` is unique within their owner."""

    id: int = 0
    owner_id: int = 0
    access_key: str = ""
    title: str = ""
    url: str = ""
    link_mp3: str = ""
    sizes: list[Size] = []
    images: list[Size] = []


def read(fields: Any, kind: type[T]) -> T:
    """Convert an object. Raises msgspec.ValidationError."""
    return msgspec.convert(fields, kind)

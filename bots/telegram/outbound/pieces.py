"""Splits content into what Telegram takes as one message, counted in UTF-16. Bot API: sendMessage, sendPhoto."""

from collections.abc import Sequence

from msgspec.structs import replace

from bots.wire.cutting import cut, units
from gateway.domain.model.nouns import Content, Media

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
MAX_REPLY = 64
"""Bytes of a button's callback_data. Bot API: InlineKeyboardButton."""

MAX_PHOTO, MAX_FILE = 10_000_000, 50_000_000
"""Bytes of a photo, and of any other file, that is uploaded. Bot API: Sending files."""

WITHOUT_CAPTION = {"sticker", "video_note"}


def split(content: Content) -> Sequence[Content]:
    """Return the pieces in order, with the buttons under the last. A caption that is too long follows its file."""
    if content.media and units(content.text) > caption_limit(content.media):
        return [replace(content, text="", buttons=()), *split(replace(content, media=None))]
    if content.media or units(content.text) <= TEXT_LIMIT:
        return [content]
    *texts, last = cut(content.text, TEXT_LIMIT)
    return [*(replace(content, text=text, buttons=()) for text in texts), replace(content, text=last)]


def caption_limit(media: Media) -> int:
    """Return how many UTF-16 code units a file's caption may have."""
    return 0 if media.type in WITHOUT_CAPTION else CAPTION_LIMIT


def takes_reply(reply: str) -> bool:
    """Tell whether a button can carry this reply."""
    return len(reply.encode()) <= MAX_REPLY

"""Splits content into what Viber takes as one message. REST Bot API: Message types."""

import msgspec
from msgspec.structs import replace

from bots.wire.cutting import cut, units
from bots.wire.files import extension
from gateway.domain.model.nouns import Content, Media

MAX_TEXT, MAX_CAPTION = 7000, 768
"""Characters, counted in UTF-16, the strictest way to count."""

ROOM = 24_000
"""Bytes of a request for its text and its buttons, of the 30 kb that Viber takes."""

PICTURES = {".jpg", ".jpeg", ".png", ".gif"}


def is_picture(media: Media) -> bool:
    """Tell whether Viber takes the media as a picture."""
    return media.type == "image" and extension(media.url) in PICTURES


def split(content: Content) -> list[Content]:
    """Split content. Only a picture can have a caption; any other file follows its text. Buttons go with the last
    piece; those that open addresses become lines of the text where all of them would not fit into a request.
    """
    if _size(content.buttons) > ROOM // 2:
        lines = [f"{button.text}: {button.url}" for button in content.buttons if button.url]
        replies = tuple(button for button in content.buttons if not button.url)
        content = replace(content, text="\n".join(filter(None, [content.text, *lines])), buttons=replies)
    media = content.media
    if media and is_picture(media) and units(content.text) <= MAX_CAPTION:
        return [content]
    texts = [replace(content, text=text, media=None, buttons=()) for text in _cut(content) if text]
    if media or not texts:
        return [*texts, replace(content, text="")]
    return [*texts[:-1], replace(content, text=texts[-1].text)]


def _cut(content: Content) -> list[str]:
    """Return pieces of the text that are short enough, and small enough beside the buttons."""
    limit, room = MAX_TEXT, ROOM - _size(content.buttons)
    texts = list(cut(content.text, limit))
    while any(_size(text) > room for text in texts):
        limit //= 2
        texts = list(cut(content.text, limit))
    return texts


def _size(part: object) -> int:
    """Return the bytes of a part of a request."""
    return len(msgspec.json.encode(part))

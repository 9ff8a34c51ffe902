"""Splits content into what Viber takes as one message. REST Bot API: Message types."""

from msgspec.structs import replace

from bots.wire.cutting import cut, units
from bots.wire.files import extension
from gateway.domain.model.nouns import Content, Media

MAX_TEXT, MAX_CAPTION = 7000, 768
"""Characters, counted in UTF-16, the strictest way to count."""

PICTURES = {".jpg", ".jpeg", ".png", ".gif"}


def is_picture(media: Media) -> bool:
    """Tell whether Viber takes the media as a picture."""
    return media.type == "image" and extension(media.url) in PICTURES


def split(content: Content) -> list[Content]:
    """Split content. Only a picture can have a caption; any other file follows its text. Buttons go with the last
    piece.
    """
    media = content.media
    if media and is_picture(media) and units(content.text) <= MAX_CAPTION:
        return [content]
    texts = [replace(content, text=text, media=None, buttons=()) for text in cut(content.text, MAX_TEXT) if text]
    if media or not texts:
        return [*texts, replace(content, text="")]
    return [*texts[:-1], replace(content, text=texts[-1].text)]

"""Splits content into what WhatsApp takes as one message. Cloud API: Text, Media, and Interactive messages."""

from collections.abc import Iterator

from msgspec.structs import replace

from bots.wire.cutting import boundary, cut, units
from bots.wire.files import extension
from gateway.domain.model.nouns import Content, Media

TEXT, BODY, CAPTION = 4096, 1024, 1024
"""Characters, counted in UTF-16, the strictest way to count."""

MAX_ROWS = 10
TYPES = {
    "image": {".jpg", ".jpeg", ".png"},
    "video": {".mp4", ".3gp"},
    "audio": {".aac", ".amr", ".mp3", ".m4a", ".ogg", ".opus"},
    "sticker": {".webp"},
}
"""What WhatsApp shows or plays. Cloud API: Supported media types."""

NO_TEXT = "…"
"""Stands for a missing text: Meta requires one above buttons."""


def split(content: Content) -> list[Content]:
    """Return the pieces in reading order: the file, the text, and the buttons under the last piece of the text."""
    content = _with_links_as_text(content)
    return [content] if content.media and _is_one_piece(content) else list(_pieces(content))


def kind_of(media: Media) -> str:
    """Return as what a file goes: what WhatsApp cannot show or play by its address's extension is a document.

    An uploaded file has it in its name.
    """
    ending = extension(media.name if media.file else media.url)
    return media.type if media.type in TYPES and (not ending or ending in TYPES[media.type]) else "document"


def _pieces(content: Content) -> Iterator[Content]:
    if content.media:
        yield Content(media=content.media)
    if content.buttons:
        yield from _split_above_buttons(content)
    else:
        yield from (Content(piece) for piece in cut(content.text, TEXT))


def _is_one_piece(content: Content) -> bool:
    has_no_caption = content.media is not None and kind_of(content.media) in ("audio", "sticker")
    return not content.buttons and units(content.text) <= (0 if has_no_caption else CAPTION)


def _with_links_as_text(content: Content) -> Content:
    """Turn link buttons into lines of the text. A message has either one link button, or reply buttons."""
    links = [button for button in content.buttons if button.url]
    if not links or len(content.buttons) == 1:
        return content
    lines = [content.text, *(f"{link.text}: {link.url}" for link in links)]
    reply_buttons = tuple(button for button in content.buttons if not button.url)
    return replace(content, text="\n".join(filter(None, lines)), buttons=reply_buttons)


def _split_above_buttons(content: Content) -> Iterator[Content]:
    *before, last = cut(content.text, TEXT)
    if units(last) > BODY:
        length = _fitting_length(last, BODY)
        start = boundary(last, len(last) - length, len(last) - length // 2)
        before, last = [*before, last[:start].rstrip()], last[start:].lstrip()
    yield from (Content(piece) for piece in before)
    for first in range(0, len(content.buttons), MAX_ROWS):
        yield Content(NO_TEXT if first else last, None, content.buttons[first : first + MAX_ROWS])


def _fitting_length(text: str, limit: int) -> int:
    """Return how many characters at the end fit. Half of a surrogate pair at the start is dropped."""
    return len(text.encode("utf-16-le")[-2 * limit :].decode("utf-16-le", "ignore"))

"""What WhatsApp takes as one message (Cloud API: Text, Media, and Interactive messages)."""

from collections.abc import Iterator

from msgspec.structs import replace

from bots.wire.cutting import boundary, cut, units
from gateway.domain.model.nouns import Content

TEXT, BODY, CAPTION = 4096, 1024, 1024
"""Characters; counted in UTF-16, the strictest way to count."""

MAX_ROWS = 10
NO_TEXT = "…"
"""Meta wants a text above buttons."""


def split(content: Content) -> Iterator[Content]:
    """In the order that people read: the file, the text in pieces, and the buttons under the last of them."""
    content = _with_links_as_text(content)
    if content.media and _fits_one(content):
        yield content
        return
    if content.media:
        yield Content(media=content.media)
    if content.buttons:
        yield from _with_buttons(content)
    else:
        yield from (Content(piece) for piece in cut(content.text, TEXT))


def _fits_one(content: Content) -> bool:
    wordless = content.media is not None and content.media.type in ("audio", "sticker")
    return not content.buttons and units(content.text) <= (0 if wordless else CAPTION)


def _with_links_as_text(content: Content) -> Content:
    """A message has either one link button, or buttons that answer; other links become lines of the text."""
    links = [button for button in content.buttons if button.url]
    if not links or len(content.buttons) == 1:
        return content
    lines = [content.text, *(f"{link.text}: {link.url}" for link in links)]
    answers = tuple(button for button in content.buttons if not button.url)
    return replace(content, text="\n".join(filter(None, lines)), buttons=answers)


def _with_buttons(content: Content) -> Iterator[Content]:
    *before, last = cut(content.text, TEXT)
    if units(last) > BODY:
        fitting = _fitting(last, BODY)
        start = boundary(last, len(last) - fitting, len(last) - fitting // 2)
        before, last = [*before, last[:start].rstrip()], last[start:].lstrip()
    yield from (Content(piece) for piece in before)
    for first in range(0, len(content.buttons), MAX_ROWS):
        yield Content(NO_TEXT if first else last, None, content.buttons[first : first + MAX_ROWS])


def _fitting(text: str, most: int) -> int:
    """How many characters of its end fit. The half of a pair that the slice may begin with is dropped."""
    return len(text.encode("utf-16-le")[-2 * most :].decode("utf-16-le", "ignore"))

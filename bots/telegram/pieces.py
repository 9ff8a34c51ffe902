"""Cutting what is too long for one message. Bot API: sendMessage, sendPhoto."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from gateway.model import Content, Media

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
WITHOUT_CAPTION = {"sticker", "video_note"}


def units(text: str) -> int:
    """The length as Telegram counts it: UTF-16 code units, so that most emoji are two."""
    return len(text.encode("utf-16-le")) // 2


def split(content: Content) -> Sequence[Content]:
    """Pieces that Telegram takes, in order, buttons under the last. A caption that is too long follows its file."""
    if content.media and units(content.text) > caption_limit(content.media):
        return [replace(content, text="", buttons=()), *split(replace(content, media=None))]
    if content.media or units(content.text) <= TEXT_LIMIT:
        return [content]
    *texts, last = _cut(content.text.strip())
    return [*(replace(content, text=text, buttons=()) for text in texts), replace(content, text=last)]


def caption_limit(media: Media) -> int:
    return 0 if media.type in WITHOUT_CAPTION else CAPTION_LIMIT


def _cut(text: str) -> Iterator[str]:
    while units(text) > TEXT_LIMIT:
        end = _boundary(text, _fitting(text))
        yield text[:end].rstrip()
        text = text[end:].lstrip()
    yield text


def _fitting(text: str) -> int:
    """How many characters fit. The half of a pair that the slice may end with is dropped."""
    return len(text.encode("utf-16-le")[: 2 * TEXT_LIMIT].decode("utf-16-le", "ignore"))


def _boundary(text: str, end: int) -> int:
    """The best place to cut, at `end` or before it: between lines, else between words, if that is not far away."""
    for mark in "\n ":
        if (at := text.rfind(mark, end // 2, end + 1)) > 0:
            return at
    return end

"""Prepares text for VK: keeps it from being interpreted, and cuts it where it is too long. VK API: messages.send."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from bots.wire.cutting import cut, units
from bots.wire.files import as_link
from gateway.domain.model.nouns import Content

TEXT_LIMIT = 4096
"""UTF-16 code units of one message. VK does not say in what it counts, and these are the strictest way."""

IMAGES = {"image", "sticker"}
"""Media types that go as photos."""

ZERO_WIDTH_SPACE = "\u200b"
MARKUP = re.compile(r"\[(?=[^\[\]|\n\u200b][^\[\]|\n]*\|[^\[\]\n]+\])|&(?=#?\w+;)")


def escape_markup(text: str) -> str:
    """Return text that looks the same but is no markup: VK makes a link of [id1|name] and a character of &#33;.

    VK has no escape character, so a space without width separates the parts.
    """
    return MARKUP.sub(rf"\g<0>{ZERO_WIDTH_SPACE}", text)


def split(content: Content) -> Sequence[Content]:
    """Return pieces that VK takes, in order: a file goes with the first one, buttons with the last.

    A file that may become a link goes before a text which leaves no room for that.
    """
    if content.media and content.media.type not in IMAGES and units(escape_markup(as_link(content).text)) > TEXT_LIMIT:
        alone = replace(content, text="", buttons=())
        return [alone, *split(replace(content, media=None))] if content.text else [content]
    if units(escape_markup(content.text)) <= TEXT_LIMIT:
        return [content]
    texts = list(cut(escape_markup(content.text), TEXT_LIMIT))
    last = len(texts) - 1
    return [
        replace(
            content,
            text=text,
            media=content.media if number == 0 else None,
            buttons=content.buttons if number == last else (),
        )
        for number, text in enumerate(texts)
    ]

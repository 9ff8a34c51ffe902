"""Prepares text for VK: keeps it from being interpreted, and cuts it where it is too long. VK API: messages.send."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from bots.wire.cutting import cut, units
from gateway.domain.model.nouns import Content

TEXT_LIMIT = 4096
"""UTF-16 code units of one message. VK does not say in what it counts, and these are the strictest way."""

ZERO_WIDTH_SPACE = "\u200b"
MARKUP = re.compile(r"\[(?=[^\[\]|\n\u200b][^\[\]|\n]*\|[^\[\]\n]+\])|&(?=#?\w+;)")


def escape_markup(text: str) -> str:
    """Return text that looks the same but is no markup: VK makes a link of [id1|name] and a character of &#33;.

    VK has no escape character, so a space without width separates the parts.
    """
    return MARKUP.sub(rf"\g<0>{ZERO_WIDTH_SPACE}", text)


def split(content: Content) -> Sequence[Content]:
    """Return pieces that VK takes, in order: a file goes with the first one, buttons with the last."""
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

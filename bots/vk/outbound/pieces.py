"""Text as VK takes it: never interpreted, and cut where it is too long. VK API: messages.send."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from bots.wire.cutting import cut, units
from gateway.domain.model.nouns import Content

TEXT_LIMIT = 4096
"""Of one message. VK does not say in what it counts: UTF-16 code units are the strictest way."""

APART = "\u200b"
MARKUP = re.compile(r"\[(?=[^\[\]|\n\u200b][^\[\]|\n]*\|[^\[\]\n]+\])|&(?=#?\w+;)")


def plain(text: str) -> str:
    """The same to the eye, but never markup: VK makes a link of [id1|name] and a character of &#33;.

    There is no way to escape them, so a space without width tears them apart.
    """
    return MARKUP.sub(rf"\g<0>{APART}", text)


def split(content: Content) -> Sequence[Content]:
    """Pieces that VK takes, in order: a file goes with the first one, buttons with the last."""
    if units(plain(content.text)) <= TEXT_LIMIT:
        return [content]
    texts = list(cut(plain(content.text), TEXT_LIMIT))
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

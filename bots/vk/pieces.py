"""Text as VK takes it: never interpreted, and cut where it is too long. VK API: messages.send."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from gateway.model import Content

TEXT_LIMIT = 4096
"""Of one message. VK does not say in what it counts: UTF-16 code units are the strictest way."""

JOINER, APART = "\u200d", "\u200b"
MARKUP = re.compile(r"\[(?=[^\[\]|\n\u200b][^\[\]|\n]*\|[^\[\]\n]+\])|&(?=#?\w+;)")


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def plain(text: str) -> str:
    """The same to the eye, but never markup: VK makes a link of [id1|name] and a character of &#33;.

    There is no way to escape them, so a space without width tears them apart.
    """
    return MARKUP.sub(rf"\g<0>{APART}", text)


def split(content: Content) -> Sequence[Content]:
    """Pieces that VK takes, in order: a file goes with the first one, buttons with the last."""
    if units(plain(content.text)) <= TEXT_LIMIT:
        return [content]
    texts = list(_cut(plain(content.text).strip()))
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
    """The best place to cut, at `end` or before it: between lines, between words, else between whole characters."""
    for mark in "\n ":
        if (at := text.rfind(mark, end // 2, end + 1)) > 0:
            return at
    return next((at for at in range(end, end // 2, -1) if not _tears(text[at - 1], text[at])), end)


def _tears(before: str, after: str) -> bool:
    """Do the two belong to one sign, as an accent, an emoji's skin or the halves of a flag do?"""
    return (
        JOINER in {before, after}
        or unicodedata.category(after).startswith("M")
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
    )

"""Reads texts of parse mode HTML. Bot API: HTML style."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from bots.telegram.simulator.markup.writer import CannotParse, Entity, Marked, Writer, bytes_before, link

TOKEN = re.compile(r"<[^>]*>?|&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});|[^<&]+|&")
NAME = re.compile(r"[^\s>/]+")
ATTRIBUTE = re.compile(r"""([\w-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
CHARACTERS = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"'}
LARGEST, HALVES = 0x10FFFF, range(0xD800, 0xE000)
TYPES: Mapping[str, str] = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("span", "tg-spoiler"), "spoiler"),
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
"""The tags that there are, and the types of their entities."""


class Tag(NamedTuple):
    """A tag that is open. `start`: where its text begins, in UTF-16 code units; `piece`: in pieces."""

    name: str
    entity: Entity
    start: int
    piece: int


def parse_html(source: str) -> Marked:
    """Return the text and its entities. Raises CannotParse."""
    writer, tags = Writer(), list[Tag]()
    for token in TOKEN.finditer(source):
        if not token[0].startswith("<"):
            writer.write(_character(token[0]))
            continue
        at = bytes_before(source, token.start())
        if token[0].startswith("</"):
            _close(token[0], at, tags, writer)
        else:
            tags.append(_open(token[0], at, tags, writer))
    if tags:
        raise CannotParse(f'Can\'t find end tag corresponding to start tag "{tags[-1].name}"')
    return writer.marked()


def _character(token: str) -> str:
    if not token.startswith("&#"):
        return CHARACTERS.get(token, token)
    code = int(token[3:-1], 16) if token[2] == "x" else int(token[2:-1])
    return chr(code) if 0 < code <= LARGEST and code not in HALVES else token


def _open(token: str, at: int, tags: list[Tag], writer: Writer) -> Tag:
    if not token.endswith(">"):
        raise CannotParse(f"Unclosed start tag at byte offset {at}")
    name = (match[0] if (match := NAME.match(token, 1)) else "").lower()
    if name not in TYPES:
        raise CannotParse(f'Unsupported start tag "{name}" at byte offset {at}')
    attributes = {key.lower(): value.strip("\"'") for key, value in ATTRIBUTE.findall(token[1 + len(name) : -1])}
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise CannotParse(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
    return Tag(name, _entity(name, attributes, tags), writer.position, writer.pieces)


def _entity(name: str, attributes: Mapping[str, str], tags: list[Tag]) -> Entity:
    language = attributes.get("class", "").removeprefix("language-")
    if name == "code" and language and tags and tags[-1].name == "pre":
        tags[-1].entity["language"] = language
        return {}
    if name == "code" and tags and tags[-1].name == "pre":
        return {}
    if name == "blockquote" and "expandable" in attributes:
        return {"type": "expandable_blockquote"}
    if name == "tg-emoji":
        return {"type": "custom_emoji", "custom_emoji_id": attributes.get("emoji-id", "")}
    return {"type": TYPES[name]} | ({"url": attributes.get("href", "")} if name == "a" else {})


def _close(token: str, at: int, tags: list[Tag], writer: Writer) -> None:
    if not tags:
        raise CannotParse(f"Unexpected end tag at byte offset {at}")
    if not token.endswith(">"):
        raise CannotParse(f"Unclosed end tag at byte offset {at}")
    tag, name = tags.pop(), token[2:-1].strip().lower()
    if name not in {tag.name, ""}:
        raise CannotParse(f'Unmatched end tag at byte offset {at}, expected "</{tag.name}>", found "</{name}>"')
    is_link = tag.entity.get("type") == "text_link"
    writer.mark(tag.start, link(tag.entity["url"] or writer.text_from(tag.piece)) if is_link else tag.entity)

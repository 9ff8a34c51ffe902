"""The texts that the server takes. Bot API: sendMessage, Formatting options, MessageEntity."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import msgspec

from bots.telegram.outbound.pieces import CAPTION_LIMIT, TEXT_LIMIT
from bots.telegram.simulator.checks.refusals import bad_request
from bots.telegram.simulator.markup import PARSERS
from bots.telegram.simulator.markup.writer import CannotParse, Entity, Marked
from bots.wire.cutting import units

BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe0e\ufe0f\uffa0"
"""Characters that show nothing, although Unicode counts them as letters, marks or symbols."""


def text_of(params: Mapping[str, str]) -> Marked:
    """Return the text of sendMessage, trimmed as the server does it. Raises Refused."""
    marked = marked_of(params, "text", "entities")
    if not marked.text:
        raise bad_request("message text is empty")
    if all(map(_is_blank, marked.text)):
        raise bad_request("text must be non-empty")
    if units(marked.text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return marked


def caption_of(params: Mapping[str, str]) -> Marked:
    """Return the caption of a file, trimmed. Raises Refused."""
    marked = marked_of(params, "caption", "caption_entities")
    if units(marked.text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return marked


def marked_of(params: Mapping[str, str], field: str, entities: str) -> Marked:
    """Return a text by its parse mode, or with the entities that came with it. Raises Refused."""
    text, mode = params.get(field, ""), params.get("parse_mode", "").lower()
    if not mode:
        return Marked(text, _entities(params.get(entities, ""), text)).trimmed()
    if mode not in PARSERS:
        raise bad_request("unsupported parse_mode")
    try:
        return PARSERS[mode](text).trimmed()
    except CannotParse as error:
        raise bad_request(f"can't parse entities: {error}") from None


def _entities(value: str, text: str) -> list[Entity]:
    try:
        entities: list[dict[str, Any]] = msgspec.json.decode(value or "[]", type=list[dict[str, Any]])
        kept = [entity for entity in entities if 0 <= entity["offset"] < entity["offset"] + entity["length"]]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise bad_request("can't parse entities: expected an Array of MessageEntity") from None
    return [entity for entity in kept if entity["offset"] + entity["length"] <= units(text)]


def _is_blank(character: str) -> bool:
    return character in BLANK or unicodedata.category(character) in {"Cc", "Cf", "Zs", "Zl", "Zp"}

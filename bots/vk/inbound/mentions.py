"""Reads whom a message in a chat is for: VK's apps put `[club77001|@shop]` before a text. VK API: mentions."""

import re

FIRST_CHAT = 2000000000
"""The first peer that is a chat of several people. VK API: messages.send, `peer_id`."""

MENTION = re.compile(r"\[(?:club|public|event)(\d{1,20})\|[^\]\n]{0,200}\][,:]?\s*")


def read_mention(text: str, group_id: int) -> tuple[bool | None, str]:
    """Return whether a text names our community or, at its beginning, another, and the text without our name there.

    The first is None where it names no community that it could be for.
    """
    first = MENTION.match(text)
    if first and int(first[1]) != group_id:
        return False, text
    is_named = first is not None or any(int(mention[1]) == group_id for mention in MENTION.finditer(text))
    return True if is_named else None, text[first.end() :] if first else text

"""Tells visits that only look, to show a preview or to check a link, from people who follow it."""

from collections.abc import Mapping
from functools import lru_cache

from crawleruseragents import is_crawler

LONGEST = 512
"""Characters of a User-Agent that are read: it is a stranger's, and is held against some hundred patterns."""

MESSENGERS = ("WhatsApp/", "Viber/", "TelegramBot", "vkShare", "Google-PageRenderer", "SkypeUriPreview", "Iframely")
"""What our messengers' previews are called, whatever the list of crawlers has; Google's opens links of SMS."""

PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
AHEAD = ("prefetch", "prerender", "preview")
"""What these headers say of a browser that loads a page before anybody has asked for it."""


def is_preview(headers: Mapping[str, str]) -> bool:
    """Tell whether a visit with these headers, in lower case, is that of a machine. Every browser has a User-Agent."""
    purposes = " ".join(headers.get(name, "") for name in PURPOSES).lower()
    return any(word in purposes for word in AHEAD) or _is_machine(headers.get("user-agent", "")[:LONGEST].strip())


@lru_cache(maxsize=1024)
def _is_machine(agent: str) -> bool:
    return not agent or any(name in agent for name in MESSENGERS) or bool(is_crawler(agent))

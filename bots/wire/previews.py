"""Who looks at an address to show a preview of it: messengers and machines, by their User-Agent."""

PREVIEWS = ("whatsapp", "telegrambot", "viber", "vkshare", "facebookexternalhit", "bot", "crawler", "spider")
"""Parts of the names by which they call."""


def is_preview(agent: str) -> bool:
    """Is this nobody who has followed a link?"""
    named = agent.lower()
    return any(part in named for part in PREVIEWS)

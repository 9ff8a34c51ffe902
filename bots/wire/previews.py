"""Recognises messengers and crawlers that fetch an address only to show a preview of it, by their User-Agent."""

PREVIEWS = ("whatsapp", "telegrambot", "viber", "vkshare", "facebookexternalhit", "bot", "crawler", "spider")
"""Parts of their User-Agents, in lower case."""


def is_preview(agent: str) -> bool:
    """Tell whether the User-Agent is that of a preview or a crawler, not of a person who follows a link."""
    name = agent.lower()
    return any(part in name for part in PREVIEWS)

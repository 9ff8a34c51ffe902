"""Who may call what. A route that is not listed here as public wants an API key."""

from quart import g, request

from storage import access
from webhooks.answers import Refusal
from webhooks.context import runtime

PUBLIC = frozenset({"health.alive", "health.ready", "providers.webhook"})
"""Endpoints without a key: health tells no secrets, and webhooks carry the provider's own proof."""


async def guard() -> None:
    """Raise Refusal unless the call may pass. Unknown paths too want a key before they are told apart."""
    if request.endpoint in PUBLIC:
        return
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    name = await access.key_name(runtime().db, key.strip()) if scheme.lower() == "bearer" and key.strip() else None
    if name is None:
        raise Refusal(
            401, "A valid API key is needed.", "Authorization: Bearer <key>; make one with: gateway keys create"
        )
    g.caller = name

"""Access to routes: one that is not listed here as public needs an API key whose role it allows."""

from collections.abc import Callable
from typing import Any, TypeVar

from quart import current_app, g, request

from gateway.domain.api.roles import Role
from gateway.people.access import Denied, identify
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime

F = TypeVar("F", bound=Callable[..., Any])

PUBLIC = frozenset(
    {
        "health.alive",
        "health.ready",
        "providers.webhook",
        "openapi",
        "docs.front",
        "docs.page",
        "docs.asset",
        "guide.index",
        "guide.page",
        "guide.style",
        "links.follow",
        "auth.login",
        "auth.refresh",
    }
)
"""Endpoints that need no key.

Health and the docs show no secrets, webhooks carry the provider's own proof, a short link is for everybody who has it,
and a user who signs in has no key yet.
"""

ROLES = "allowed_roles"
"""The attribute of a view function that holds the roles that it allows."""


def allow(*roles: Role) -> Callable[[F], F]:
    """Decorate a view to allow these roles, besides admins. A view without this decorator is for admins alone."""

    def decorate(view: F) -> F:
        setattr(view, ROLES, frozenset(roles))
        return view

    return decorate


async def guard() -> None:
    """Check the key and the role of the current request, and keep the caller's name for the route.

    Raises Refusal (401 or 403). Unknown paths need a key too, so that a stranger cannot tell which paths exist.
    """
    if request.endpoint in PUBLIC:
        return
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Refusal(401, KEY_NEEDED, HOW)
    try:
        gateway = runtime()
        caller = await identify(gateway.db, secret.strip(), gateway.clock())
    except Denied as error:
        raise Refusal(401, str(error), HOW) from None
    view = current_app.view_functions.get(request.endpoint or "")
    if view and caller.role is not Role.ADMIN and caller.role not in getattr(view, ROLES, ()):
        raise Refusal(403, f"This is not for the role {caller.role}.")
    g.caller, g.caller_family = caller.name, caller.family


KEY_NEEDED = "A valid API key is needed."
HOW = "Authorization: Bearer <key>; make one with: gateway keys create"

"""Access to routes: one that is not listed as public needs an API key, or a page its cookie, of an allowed role."""

from collections.abc import Callable
from typing import Any, TypeVar

from quart import current_app, g, request

from gateway.domain.api.roles import Role
from gateway.people.access import Caller, Denied, identify
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime
from webhooks.http.cookie import PAGES, caller_by_cookie

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
        "media.follow",
        "auth.login",
        "auth.refresh",
        "ui.door.show_login",
        "ui.door.login",
        "ui.door.choose_language",
        "ui.static.file",
    }
)
"""Endpoints that need no key.

Health and the docs show no secrets, webhooks carry the provider's own proof, a link to a file ours, a short link is for
everybody who has it, and a user who signs in has no key yet.
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
    """Check who calls and whether the role is allowed, and keep the caller's name for the route.

    Raises Refusal (401 or 403). Unknown paths need a key too, so that a stranger cannot tell which paths exist.
    """
    if request.endpoint in PUBLIC:
        return
    try:
        caller = await (caller_by_cookie() if PAGES in request.blueprints else _caller_by_key())
    except Denied as error:
        raise Refusal(401, str(error), HOW) from None
    view = current_app.view_functions.get(request.endpoint or "")
    if view and caller.role is not Role.ADMIN and caller.role not in getattr(view, ROLES, ()):
        raise Refusal(403, f"This is not for the role {caller.role}.")
    g.caller, g.caller_role, g.caller_family = caller.name, caller.role, caller.family


async def _caller_by_key() -> Caller:
    """Return who has the request's key or token. Raises Denied."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Denied(KEY_NEEDED)
    gateway = runtime()
    return await identify(gateway.db, secret.strip(), gateway.clock())


KEY_NEEDED = "A valid API key is needed."
HOW = "Authorization: Bearer <key>; make one with: gateway keys create"

"""Who may call what. A route that is not listed here as public wants an API key of a role that it allows."""

from collections.abc import Callable
from typing import Any, TypeVar

from quart import current_app, g, request

from gateway.domain.api.roles import Role
from gateway.people.access import Denied, identified
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime

F = TypeVar("F", bound=Callable[..., Any])

PUBLIC = frozenset(
    {
        "health.alive",
        "health.ready",
        "providers.webhook",
        "openapi",
        "docs.page",
        "docs.asset",
        "links.follow",
        "auth.login",
        "auth.refresh",
    }
)
"""Endpoints without a key: health and the docs tell no secrets, webhooks carry the provider's own proof, a short link
is for whoever has it, and whoever signs in has no key yet.
"""

ROLES = "allowed_roles"
"""The attribute of a view function that says whom it is for."""


def allow(*roles: Role) -> Callable[[F], F]:
    """Let these roles in, beside the admins. A route without this is for admins alone."""

    def decorate(view: F) -> F:
        setattr(view, ROLES, frozenset(roles))
        return view

    return decorate


async def guard() -> None:
    """Raise Refusal unless the call may pass. Unknown paths too want a key before they are told apart."""
    if request.endpoint in PUBLIC:
        return
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Refusal(401, WANTED, HOW)
    try:
        caller = await identified(runtime().db, secret.strip(), runtime().clock())
    except Denied as error:
        raise Refusal(401, str(error), HOW) from None
    view = current_app.view_functions.get(request.endpoint or "")
    if view and caller.role is not Role.ADMIN and caller.role not in getattr(view, ROLES, ()):
        raise Refusal(403, f"This is not for the role {caller.role}.")
    g.caller, g.caller_family = caller.name, caller.family


WANTED = "A valid API key is needed."
HOW = "Authorization: Bearer <key>; make one with: gateway keys create"

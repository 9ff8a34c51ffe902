"""What a route's caller has done is recorded in the audit, once the route has succeeded."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from quart import g, request
from quart.typing import ResponseReturnValue

from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.people import audit
from gateway.people.audit import Actor, Deed
from webhooks.http.context import client_address, runtime
from webhooks.http.cookie import PAGES

F = TypeVar("F", bound=Callable[..., Any])

ACT = "recorded_act"
"""The attribute of a view function that holds the act that it records."""

BAD = 400


def records(act: Act) -> Callable[[F], F]:
    """Decorate a view that acts: its caller, and the `key` of its path, go into the audit unless it fails.

    What senders do is not recorded: they are programs, and what they make says of itself who has made it.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        async def acting(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            g.deed = Deed(act, target=str(kwargs.get("key", "")))
            response: ResponseReturnValue = await view(*args, **kwargs)
            if g.deed and _status(response) < BAD and g.caller_role is not Role.SENDER:
                await audit.record(runtime().db, _actor(), g.deed, runtime().clock())
            return response

        setattr(acting, ACT, act)
        return cast("F", acting)

    return decorate


def note(
    target: str | None = None,
    *,
    name: str = "",
    act: Act | None = None,
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
) -> None:
    """Say more of what the current route does: see `Entry`. act: what it did instead of what it says of itself."""
    deed: Deed = g.deed
    deed.target, deed.name, deed.act = target or deed.target, name or deed.name, act or deed.act
    deed.before, deed.after = before or deed.before, after or deed.after


def record_nothing() -> None:
    """Leave the current route out of the audit, because it has changed nothing."""
    g.deed = None


def _actor() -> Actor:
    return Actor(g.caller, "page" if PAGES in request.blueprints else "api", client_address())


def _status(response: ResponseReturnValue) -> int:
    """Return the HTTP status of what a view has returned."""
    if isinstance(response, tuple):
        return next((part for part in response if isinstance(part, int)), 200)
    return int(getattr(response, "status_code", 200))

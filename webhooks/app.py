"""The web process: one Quart app with every route, each guarded or listed as public."""

from collections.abc import AsyncGenerator, Callable

from quart import Quart

from gateway.runtime import Runtime, opened
from gateway.settings import load
from webhooks import api, dead, health, metrics, providers
from webhooks.answers import register_errors
from webhooks.guard import guard
from webhooks.intake import App
from webhooks.naming import name_request, tell_name

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes that are read of anything at all; each route sets a closer bound of its own."""


def create_app(runtime: Runtime | None = None) -> Quart:
    """All routes, over an open runtime, or over one of its own that is opened from the environment's settings."""
    app = App("webhooks")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    for blueprint in (health.blueprint, providers.blueprint, api.blueprint, dead.blueprint, metrics.blueprint):
        app.register_blueprint(blueprint)
    app.before_request(name_request)
    app.before_request(guard)
    app.after_request(tell_name)
    register_errors(app)
    if runtime:
        app.extensions["runtime"] = runtime
    else:
        app.while_serving(_own_runtime(app))
    return app


def _own_runtime(app: Quart) -> Callable[[], AsyncGenerator[None, None]]:
    async def while_serving() -> AsyncGenerator[None, None]:
        async with opened(load()) as runtime:
            app.extensions["runtime"] = runtime
            yield

    return while_serving

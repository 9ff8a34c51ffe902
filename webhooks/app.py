"""The web process: one Quart app with every route, each guarded or listed as public."""

from collections.abc import AsyncGenerator, Callable

from quart import Quart

from gateway.runtime import Runtime, opened
from gateway.settings import load
from webhooks import (
    accounts,
    auth,
    contacts,
    dead,
    export,
    health,
    jobs,
    keys,
    links,
    message_templates,
    messages,
    metrics,
    optouts,
    previews,
    providers,
    sessions,
    templates,
)
from webhooks.answers import register_errors
from webhooks.guard import guard
from webhooks.intake import App
from webhooks.naming import name_request, tell_name
from webhooks.openapi import describe

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes that are read of anything at all; each route sets a closer bound of its own."""


def create_app(runtime: Runtime | None = None) -> Quart:
    """All routes, over an open runtime, or over one of its own that is opened from the environment's settings."""
    app = App("webhooks", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.converters["message"] = messages.MessageId
    app.url_map.converters["session"] = sessions.SessionId
    app.url_map.converters["provided"] = message_templates.ProvidedId
    for area in (
        health,
        providers,
        messages,
        export,
        links,
        optouts,
        sessions,
        contacts,
        accounts,
        auth,
        keys,
        jobs,
        dead,
        metrics,
        templates,
        message_templates,
        previews,
    ):
        app.register_blueprint(area.blueprint)
    describe(app)
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

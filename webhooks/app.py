"""The web process: one Quart app with every route, each of them guarded or listed as public."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from quart import Quart

from gateway.runtime.collector import spare_opened
from gateway.runtime.counting import write_regularly
from gateway.runtime.runtime import Runtime, opened
from gateway.runtime.settings.settings import load
from webhooks.api import accounts, media
from webhooks.api.access import audit, auth, keys, users
from webhooks.api.jobs import jobs, rows
from webhooks.api.messages import dead_letters, export, links, messages
from webhooks.api.people import contacts, optouts, sessions
from webhooks.api.templates import approved, own, previews
from webhooks.http.answers import add_guards, register_errors
from webhooks.http.guard import guard
from webhooks.http.openapi import describe
from webhooks.http.request_id import add_request_id, assign_request_id
from webhooks.http.uploads import UploadRequest
from webhooks.inbound import providers
from webhooks.inbound.intake import App
from webhooks.operations import health, metrics
from webhooks.pages.ui import register_pages

LARGEST_BODY = 8 * 1024 * 1024
"""The largest body that is read at all, in bytes, except files; each route sets a closer bound of its own."""


def create_app(runtime: Runtime | None = None) -> Quart:
    """Create the app with all routes.

    Without a runtime, the app opens its own from the environment's settings while it is served.
    """
    app = App("webhooks", static_folder=None)
    app.request_class = UploadRequest
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.url_map.converters["message"] = messages.MessageId
    app.url_map.converters["session"] = sessions.SessionId
    app.url_map.converters["message_template"] = approved.MessageTemplateId
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
        media,
        auth,
        keys,
        users,
        audit,
        jobs,
        rows,
        dead_letters,
        metrics,
        own,
        approved,
        previews,
    ):
        app.register_blueprint(area.blueprint)
    register_pages(app)
    describe(app)
    app.before_request(assign_request_id)
    app.before_request(guard)
    app.after_request(add_request_id)
    app.after_request(add_guards)
    register_errors(app)
    if runtime:
        app.extensions["runtime"] = runtime
    else:
        app.while_serving(_own_runtime(app))
    app.while_serving(_counts_written(app))
    return app


def _own_runtime(app: Quart) -> Callable[[], AsyncGenerator[None, None]]:
    async def while_serving() -> AsyncGenerator[None, None]:
        async with opened(load()) as runtime:
            app.extensions["runtime"] = runtime
            spare_opened()
            yield

    return while_serving


def _counts_written(app: Quart) -> Callable[[], AsyncGenerator[None, None]]:
    """Return what has the counts of this process written while it serves: there may be no worker in it."""

    async def while_serving() -> AsyncGenerator[None, None]:
        runtime, stop = app.extensions["runtime"], asyncio.Event()
        writing = asyncio.create_task(write_regularly(runtime, stop))
        yield
        stop.set()
        await writing

    return while_serving

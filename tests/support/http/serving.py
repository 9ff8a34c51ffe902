"""Serves Quart apps over real HTTP, on a free port of this machine."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from quart import Blueprint, Quart

from storage.engine.embedded import free_port
from webhooks.http import server
from webhooks.http.server import listener, url_of

__all__ = ["app_of", "free_port", "listener", "served", "url_of"]


@asynccontextmanager
async def served(app: Quart, at: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve the app and yield its base URL. The end waits only 0.2 s for open connections."""
    async with server.served(app, at, grace=0.2) as url:
        yield url


def app_of(*blueprints: Blueprint) -> Quart:
    """Return an app of these blueprints, each under its own name."""
    app = Quart("simulators")
    for blueprint in blueprints:
        app.register_blueprint(blueprint, url_prefix=f"/{blueprint.name}")
    return app

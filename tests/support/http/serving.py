"""Quart apps served for real, on a free port of this machine."""

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
    """The app's base URL, while it is being served; a test does not wait for connections that are left open."""
    async with server.served(app, at, grace=0.2) as url:
        yield url


def app_of(*blueprints: Blueprint) -> Quart:
    """An app of nothing but these, each under its own name."""
    app = Quart("simulators")
    for blueprint in blueprints:
        app.register_blueprint(blueprint, url_prefix=f"/{blueprint.name}")
    return app

"""Serves an app by hypercorn inside a running event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart

GRACE = 5.0
"""Seconds that requests under way have when the server stops."""


def listener(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """Open a socket that listens at this port; 0 takes a free one. Raises OSError if the port is taken."""
    return socket.create_server((host, port), backlog=1024)


def url_of(listener: socket.socket) -> str:
    """Return the base URL of an app that is served at this listener."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


def stopping(app: Quart) -> asyncio.Event:
    """Return the event that is set before the app stops: answers that would go on for ever end with it."""
    event: asyncio.Event = app.extensions.setdefault("stopping", asyncio.Event())
    return event


@asynccontextmanager
async def served(app: Quart, at: socket.socket | None = None, grace: float = GRACE) -> AsyncIterator[str]:
    """Serve the app `at` a listener, or at a free port of this machine, as long as the block runs.

    Yields the base URL. Requests under way have `grace` seconds to end afterwards.
    """
    at = at or listener()
    url, stop = url_of(at), asyncio.Event()
    task = asyncio.create_task(serve(app, _config(at, grace), shutdown_trigger=stop.wait))
    try:
        yield url
    finally:
        stopping(app).set()
        stop.set()
        await task


def _config(listener: socket.socket, grace: float) -> Config:
    """Configure hypercorn to take over a socket that listens already, so that no client is turned away meanwhile.

    Providers keep their connections open; hypercorn's limit of 1000 requests for each would break them for nothing.
    """
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.accesslog = None
    config.loglevel = "WARNING"
    config.include_server_header = False
    config.keep_alive_max_requests = 1_000_000
    config.keep_alive_timeout = 75
    config.graceful_timeout = grace
    return config

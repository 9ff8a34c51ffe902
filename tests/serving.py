"""Quart apps served for real, by hypercorn, on a free port of this machine."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Blueprint, Quart


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def served(app: Quart, port: int | None = None) -> AsyncIterator[str]:
    """The app's base URL, while it is being served."""
    port = port or free_port()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = config.errorlog = None
    config.graceful_timeout = 0.2
    stop = asyncio.Event()
    task = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    try:
        await _listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await task


async def _listening(port: int) -> None:
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise TimeoutError(f"nothing listens on {port}")


def app_of(*blueprints: Blueprint) -> Quart:
    """An app of nothing but these, each under its own name."""
    app = Quart("simulators")
    for blueprint in blueprints:
        app.register_blueprint(blueprint, url_prefix=f"/{blueprint.name}")
    return app

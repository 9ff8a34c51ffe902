"""`gateway demo`: runs the demo environment and a page that shows it, until it is stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.runtime.collector import spare_opened
from gateway.runtime.settings.settings import Settings
from webhooks.demo.client import opened_client
from webhooks.demo.environment import Environment, opened_environment
from webhooks.demo.page import create_page
from webhooks.http.server import listener, served

GRACE = 0.5
"""Seconds that the page's requests have when the demo stops. The page polls all the time, so none of them matters."""


async def demo(
    settings: Settings, port: int, gateway_port: int, stop: asyncio.Event, announce: Callable[[str, Environment], None]
) -> None:
    """Announce the page's URL and what it shows, and run it all until `stop`. Raises OSError if a port is taken."""
    async with opened_environment(settings, gateway_port) as environment, opened_page(environment, port) as url:
        spare_opened()
        announce(url, environment)
        await stop.wait()


@asynccontextmanager
async def opened_page(environment: Environment, port: int = 0) -> AsyncIterator[str]:
    """Serve the page on a port of its own, and yield its URL.

    It listens on loopback only, since everybody who sees the page controls the demo.
    """
    async with (
        opened_client(environment) as client,
        served(create_page(environment, client), listener(port=port), GRACE) as url,
    ):
        yield url

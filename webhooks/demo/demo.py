"""`gateway demo`: the town, and a page that shows it, until told to stop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.runtime.settings.settings import Settings
from webhooks.demo.client import opened_client
from webhooks.demo.environment import Environment, opened_environment
from webhooks.demo.page import create_page
from webhooks.http.server import listener, served

GRACE = 0.5
"""The page asks for news all the time; nobody loses anything when its last question stays open."""


async def demo(
    settings: Settings, port: int, gateway_port: int, stop: asyncio.Event, announce: Callable[[str], None]
) -> None:
    """Run everything, announce the page's URL, wait for `stop`. Raises OSError if a port is taken."""
    async with opened_environment(settings, gateway_port) as environment, opened_page(environment, port) as url:
        announce(url)
        await stop.wait()


@asynccontextmanager
async def opened_page(environment: Environment, port: int = 0) -> AsyncIterator[str]:
    """The page's URL, on a port of its own; on loopback only, since whoever sees it plays with it."""
    async with (
        opened_client(environment) as client,
        served(create_page(environment, client), listener(port=port), GRACE) as url,
    ):
        yield url

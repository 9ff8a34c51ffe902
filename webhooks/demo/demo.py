"""`gateway demo`: the town, and a page that shows it, until told to stop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.runtime.settings.settings import Settings
from webhooks.demo.client import opened_shop
from webhooks.demo.environment import Town, opened_town
from webhooks.demo.page import create_page
from webhooks.http.server import listener, served

GRACE = 0.5
"""The page asks for news all the time; nobody loses anything when its last question stays open."""


async def demo(
    settings: Settings, port: int, gateway_port: int, stop: asyncio.Event, announce: Callable[[str], None]
) -> None:
    """Run everything, announce the page's URL, wait for `stop`. Raises OSError if a port is taken."""
    async with opened_town(settings, gateway_port) as town, opened_page(town, port) as url:
        announce(url)
        await stop.wait()


@asynccontextmanager
async def opened_page(town: Town, port: int = 0) -> AsyncIterator[str]:
    """The page's URL, on a port of its own; on loopback only, since whoever sees it plays with it."""
    async with opened_shop(town) as shop, served(create_page(town, shop), listener(port=port), GRACE) as url:
        yield url

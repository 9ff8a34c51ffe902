"""Operators who look at pages, as browsers do: each has a stream of hints, and reads its page again when one comes."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp

from gateway.domain.api.roles import Role
from gateway.people import access
from gateway.runtime.runtime import Clock
from tests.benchmarks.load.sending import Lost
from tests.benchmarks.setup.setup import RunningSetup

PASSWORD = "correct horse battery"
TOPICS = re.compile(rb'data-live="([^"]+)"')


@asynccontextmanager
async def opened_operators(setup: RunningSetup, count: int) -> AsyncIterator[Sequence[aiohttp.ClientSession]]:
    """Yield the browsers of so many operators who have signed in."""
    async with AsyncExitStack() as stack:
        browsers = []
        for number in range(count):
            email = f"operator-{number}@shop.example"
            await access.create_user(setup.db, email, PASSWORD, Role.OPERATOR, Clock()())
            jar = aiohttp.CookieJar(unsafe=True)  # of an address without a name
            browser = await stack.enter_async_context(aiohttp.ClientSession(setup.url, cookie_jar=jar))
            form = {"email": email, "password": PASSWORD, "next": ""}
            async with browser.post("/ui/login", data=form, headers={"Origin": setup.url}) as response:
                if response.status != 200:
                    raise Lost(f"an operator who signed in was answered {response.status}")
            browsers.append(browser)
        yield browsers


@asynccontextmanager
async def looking(browsers: Sequence[aiohttp.ClientSession], pages: Sequence[str]) -> AsyncIterator[list[float]]:
    """Let each look at one of the pages until the end of the block. Yields the seconds that each look took."""
    seconds = list[float]()
    looks = [
        asyncio.create_task(_look(browser, pages[number % len(pages)], seconds))
        for number, browser in enumerate(browsers)
    ]
    try:
        yield seconds
    finally:
        for look in looks:
            look.cancel()
        results = await asyncio.gather(*looks, return_exceptions=True)
    if broken := [result for result in results if not isinstance(result, asyncio.CancelledError)]:
        raise Lost(f"{len(broken)} operators could not look: {broken[0]}")


async def _look(browser: aiohttp.ClientSession, page: str, seconds: list[float]) -> None:
    html, hinted = await _read(browser, page, seconds), asyncio.Event()
    topics = sorted({topic for each in TOPICS.findall(html) for topic in each.decode().split()})
    stream = asyncio.create_task(_listen(browser, topics, hinted))
    try:
        while not stream.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(hinted.wait(), 1)
                hinted.clear()
                await _read(browser, page, seconds)
        await stream
        raise Lost("a stream of hints has ended")
    finally:
        stream.cancel()


async def _read(browser: aiohttp.ClientSession, page: str, seconds: list[float]) -> bytes:
    began = time.monotonic()
    async with browser.get(page) as response:
        if response.status != 200:
            raise Lost(f"{page} was answered {response.status}")
        html = await response.read()
    seconds.append(time.monotonic() - began)
    return html


async def _listen(browser: aiohttp.ClientSession, topics: Sequence[str], hinted: asyncio.Event) -> None:
    """Set the event at each hint: those that come during a look are one more look, as in a browser."""
    endless = aiohttp.ClientTimeout(total=None)
    async with browser.get("/ui/live", params=[("t", topic) for topic in topics], timeout=endless) as stream:
        async for line in stream.content:
            if line.startswith(b"data:"):
                hinted.set()

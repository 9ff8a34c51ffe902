"""The guides as pages: for anybody, whole, linked with each other, without scripts, and readable on a phone."""

import re
from collections.abc import AsyncIterator
from html import unescape

import aiohttp
import pytest
from playwright.async_api import async_playwright

from tests.support.client import ApiClient
from tests.support.docs import ROOT
from tests.support.processes.chromium import ARGUMENTS
from webhooks.http.guide import GUIDES, anchor

TITLES = ["API guide", "Channels", "Running", "Storage"]


@pytest.fixture
async def stranger(demo: ApiClient) -> AsyncIterator[aiohttp.ClientSession]:
    """A connection without a key."""
    async with aiohttp.ClientSession(demo.environment.url) as http:
        yield http


async def shown(stranger: aiohttp.ClientSession, path: str, kind: str = "text/html") -> str:
    """Return a page. Its policy lets no script and nothing from elsewhere in."""
    async with stranger.get(path) as response:
        assert (response.status, response.content_type) == (200, kind), path
        if kind == "text/html":
            assert "default-src 'none'; style-src 'self';" in response.headers["Content-Security-Policy"]
        return await response.text()


async def test_the_index_lists_them(stranger: aiohttp.ClientSession) -> None:
    index = await shown(stranger, "/docs/guide")
    links = re.findall(r'<li><a href="/docs/guide/(\w+)">([^<]+)</a>', index)
    assert links == list(zip(GUIDES, TITLES, strict=True))
    assert 'name="viewport"' in index


async def test_the_page_of_all_routes_leads_to_them(stranger: aiohttp.ClientSession) -> None:
    async with stranger.get("/docs") as response:
        assert '<a href="/docs/guide">' in await response.text()


@pytest.mark.parametrize("name", GUIDES)
async def test_each_is_whole(stranger: aiohttp.ClientSession, name: str) -> None:
    title, package = GUIDES[name]
    source, page = (ROOT / package / "README.md").read_text("utf-8"), await shown(stranger, f"/docs/guide/{name}")
    prose = re.sub(r"^```.*?^```$", "", source, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    assert re.findall(r'<h\d id="([^"]+)">', page) == [anchor(heading) for heading in headings]
    assert page.count("<table>") == len(re.findall(r"^\|---", prose, re.MULTILINE))
    assert page.count("<pre>") == source.count("\n```") / 2
    assert f'<h1 id="{anchor(title)}">{title}</h1>' in page
    assert "<script" not in page
    assert 'style="' not in page


async def test_their_links_lead_to_what_is_there(stranger: aiohttp.ClientSession) -> None:
    pages = {f"/docs/guide/{name}": await shown(stranger, f"/docs/guide/{name}") for name in GUIDES}
    seen = 0
    for place, page in pages.items():
        for link in map(unescape, re.findall(r"<main>.*?</main>", page, re.DOTALL)):
            for href in re.findall(r'<a href="([^"]*)"', link):
                path, _, heading = href.partition("#")
                assert path in {"", *pages}, (place, href)
                assert not heading or f'id="{heading}"' in pages[path or place], (place, href)
                seen += 1
    assert seen > 20


async def test_what_there_is_not(stranger: aiohttp.ClientSession) -> None:
    async with stranger.get("/docs/guide/secrets") as response:
        assert response.status == 404


@pytest.mark.browser
async def test_on_a_phone_in_the_dark(stranger: aiohttp.ClientSession, demo: ApiClient, chromium: str) -> None:
    """Nothing is wider than the screen, the page is dark, and the browser has nothing to complain of."""
    await shown(stranger, "/docs/guide.css", "text/css")
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": 360, "height": 640}, color_scheme="dark")
        complaints: list[str] = []
        page.on("console", lambda line: complaints.append(line.text))
        for name in GUIDES:
            await page.goto(f"{demo.environment.url}/docs/guide/{name}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360, name
            assert await page.evaluate("getComputedStyle(document.body).color") == "rgb(255, 255, 255)"
            assert await page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") != "none"
        await browser.close()
    assert complaints == []

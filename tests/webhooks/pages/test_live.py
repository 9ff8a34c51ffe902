"""Live pages: what has changed is shown without a reload, by one stream of hints for each browser."""

import asyncio
from datetime import timedelta

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.support.client import ApiClient, until
from tests.webhooks.pages.conftest import OPERATOR
from tests.webhooks.pages.visitor import Visitor
from webhooks.app import create_app
from webhooks.http.server import served
from webhooks.pages.live import live
from webhooks.pages.live.live import STREAMS_OF_ONE, Hints

LATER = {"channel": "sms", "text": "Your order is ready"}


async def scheduled(demo: ApiClient) -> str:
    """Send a message for tomorrow. Returns its id."""
    tomorrow = (demo.environment.runtime.clock() + timedelta(days=1)).isoformat()
    body = {"messages": [{"destinations": [{"phone": "+79000000001"}], "channels": [LATER], "sendAt": tomorrow}]}
    _, answer = await demo.post("/api/v1/messages", body)
    return str(answer["messages"][0]["id"])


async def cancel(demo: ApiClient, key: str) -> None:
    async with demo.http.delete("/api/v1/messages", json={"id": key}) as response:
        assert response.status == 200


async def next_line(stream: aiohttp.ClientResponse, start: bytes) -> bytes:
    while (line := await asyncio.wait_for(stream.content.readline(), 20)) and not line.startswith(start):
        pass
    return line


@pytest.fixture
def hints(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> Hints:
    """Return the hints of the app, which has none before somebody opens a page."""
    hints = Hints(demo.environment.runtime)
    monkeypatch.setattr(live, "Hints", lambda _: hints)
    return hints


@pytest.mark.browser
async def test_a_page_shows_what_has_changed(demo: ApiClient, page: Page) -> None:
    key = await scheduled(demo)
    await page.goto(f"/ui/messages/{key}")
    await expect(page.locator("#live")).to_have_text("Live")
    await expect(page.locator("#story")).not_to_contain_text("Cancelled")
    await page.evaluate("document.querySelector('h2').kept = 'yes'")
    await cancel(demo, key)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Cancelled")
    assert await page.evaluate("document.querySelector('h2').kept") == "yes", "it was morphed, not replaced"


@pytest.mark.browser
async def test_twelve_tabs_have_one_stream_and_another_takes_over(demo: ApiClient, hints: Hints, page: Page) -> None:
    key = await scheduled(demo)
    tabs = [page, *[await page.context.new_page() for _ in range(11)]]
    for tab in tabs:
        await tab.goto(f"/ui/messages/{key}")
    for tab in (page, tabs[-1]):
        await expect(tab.locator("#live")).to_have_text("Live")
    await until(lambda: has_streams(hints, 1))
    await page.close()
    await until(lambda: has_streams(hints, 1))
    await cancel(demo, key)
    await tabs[5].bring_to_front()
    await expect(tabs[5].get_by_role("heading", level=1)).to_contain_text("Cancelled")


async def has_streams(hints: Hints, count: int) -> bool | None:
    return hints.streams == count or None


async def test_a_hint_names_what_has_changed(demo: ApiClient, visitor: Visitor) -> None:
    key = await scheduled(demo)
    async with visitor.http.get("/ui/live", params={"t": f"message:{key}"}) as stream:
        assert (stream.content_type, stream.headers["Cache-Control"]) == ("text/event-stream", "no-store")
        assert await next_line(stream, b"data:") == b"data: all\n", "the first look has been made"
        await cancel(demo, key)
        assert await next_line(stream, b"data:") == f"data: message:{key}\n".encode()


async def test_nobody_asks_while_nobody_looks(demo: ApiClient) -> None:
    hints = Hints(demo.environment.runtime)
    async with hints.watching(["message:x"], OPERATOR):
        assert hints.streams == 1
    task = hints._task
    assert task
    await asyncio.wait_for(task, 20)
    assert (hints.streams, hints._watched) == (0, {})


async def test_streams_have_a_bound(visitor: Visitor) -> None:
    streams = [await visitor.http.get("/ui/live", params={"t": "message:x"}) for _ in range(STREAMS_OF_ONE)]
    for stream in streams:
        await next_line(stream, b"retry:")
    assert (await visitor.get("/ui/live?t=message:x")).status == 503
    for stream in streams:
        stream.close()
    assert (await visitor.get(f"/ui/live?t=message:{'x' * 300}")).status == 400
    assert (await visitor.get("/ui/live?t=secrets")).status == 400


async def test_signing_out_ends_the_stream(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ALIVE", 0.2)
    async with visitor.http.get("/ui/live", params={"t": "message:x"}) as stream:
        assert await next_line(stream, b":") == b": alive\n"
        await visitor.send((await visitor.get("/ui/messages")).form("/logout"))
        while await asyncio.wait_for(stream.content.readline(), 20):
            pass
        assert stream.content.at_eof()


async def test_a_stop_does_not_wait_for_open_streams(demo: ApiClient, visitor: Visitor) -> None:
    cookies = {each.key: each.value for each in visitor.http.cookie_jar}
    async with aiohttp.ClientSession(cookies=cookies, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with served(create_app(demo.environment.runtime), grace=60) as url:
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
            streams = [await http.get(f"{url}/ui/live", params={"t": "message:x"}, headers=headers) for _ in range(8)]
            for stream in streams:
                await next_line(stream, b"data: all")
        for stream in streams:
            assert not await next_line(stream, b"data:")

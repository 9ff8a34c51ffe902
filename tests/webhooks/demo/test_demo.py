"""The demo's page over plain HTTP: its actions, the requests that it refuses, and that it never shows the key."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
import pytest

import bots
from gateway.runtime.settings.settings import Settings
from tests.support.client import ApiClient, until
from webhooks.demo.demo import demo, opened_page
from webhooks.demo.page import POLICY

ORDER = {"text": "Order {{order}} has been sent.", "values": {"name": "Anna", "order": "A-17"}}


@dataclass(frozen=True)
class Page:
    """The page as a browser sees it; `answers` holds everything that it has answered."""

    client: ApiClient
    url: str
    http: aiohttp.ClientSession
    answers: list[str]

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        return await self._keep(await self.http.get(path, headers=headers))

    async def post(self, path: str, body: object, **headers: str) -> aiohttp.ClientResponse:
        return await self._keep(await self.http.post(path, json=body, headers={"Origin": self.url} | headers))

    async def phone(self, channel: str) -> Any:
        state = await (await self.get("/state")).json()
        return next(phone for phone in state["phones"] if phone["channel"] == channel)

    async def answer(self, channel: str, text: str) -> Any:
        """Wait for a bubble of ours that begins with this text, and return it."""

        async def bubble() -> Any:
            bubbles = (await self.phone(channel))["bubbles"]
            return next((each for each in bubbles if not each["mine"] and each["text"].startswith(text)), None)

        return await until(bubble)

    async def wait_for(self, status: str) -> Any:
        """Wait until the newest notification has this status, and return it."""

        async def notification() -> Any:
            newest = (await (await self.get("/state")).json())["notifications"][0]
            return newest if newest["status"] == status else None

        return await until(notification)

    async def _keep(self, response: aiohttp.ClientResponse) -> aiohttp.ClientResponse:
        self.answers.append(await response.text() + str(response.headers))
        return response


@pytest.fixture
async def page(demo: ApiClient) -> AsyncIterator[Page]:
    async with opened_page(demo.environment) as url, aiohttp.ClientSession(url) as http:
        yield Page(demo, url, http, [])


async def test_every_channel_has_a_phone(page: Page) -> None:
    html = await (await page.get("/")).text()
    style = await (await page.get("/colours.css")).text()
    for name in bots.CHANNELS:
        channel = page.client.environment.runtime.channel(name)
        assert channel
        assert f'data-channel="{name}" data-title="{channel.facts.title}"' in html
        assert f'[data-channel="{name}"] {{ --channel: {channel.facts.colour}; }}' in style


async def test_the_operators_pages_open_from_it_signed_in(page: Page) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser, browser.get(f"{page.url}/operator") as response:
        assert str(response.url) == f"{page.client.environment.url}/ui/overview"
        assert "operator@demo.example" in await response.text()
        await page.post("/clock", {"hours": 25})
        async with browser.get(f"{page.client.environment.url}/ui/") as later:
            assert later.url == response.url, "still signed in"


async def test_start_joins_the_chat_to_the_customer(page: Page) -> None:
    await page.post("/start", {"channel": "telegram"})
    await page.answer("telegram", "Hello, Anna!")
    assert (await page.phone("telegram"))["bubbles"][0]["text"] == "/start"
    await page.post("/send", {**ORDER, "channels": ["telegram"]})
    await page.answer("telegram", "Order A-17")


async def test_writing_and_pressing_are_answered(page: Page) -> None:
    assert (await page.phone("whatsapp"))["window"] == "the person has not written yet"
    await page.post("/say", {"channel": "whatsapp", "text": "/start"})
    greeting = await page.answer("whatsapp", "Hello")
    await page.post("/share", {"channel": "whatsapp"})
    assert (await page.phone("whatsapp"))["bubbles"][-1]["media"] == "a file"
    await page.post("/press", {"channel": "whatsapp", "bubble": greeting["id"], "button": "Help"})
    await page.answer("whatsapp", "/start - ")
    assert (await page.phone("whatsapp"))["window"] == "window open for 23 h"


async def test_a_day_passes(page: Page) -> None:
    await page.post("/start", {"channel": "whatsapp"})
    await page.answer("whatsapp", "Hello")
    await page.post("/clock", {"hours": 25})
    assert (await page.phone("whatsapp"))["window"] == "window closed 1 h ago"
    await page.post("/send", {**ORDER, "channels": ["whatsapp", "sms"]})
    story = await page.wait_for("READ")
    assert [attempt["template"] for attempt in story["attempts"]] == ["order_update/en"]
    assert story["request"]["messages"][0]["channels"][1] == {"channel": "sms", "text": ORDER["text"]}


async def test_a_phone_that_is_off(page: Page) -> None:
    await page.post("/switch", {"channel": "whatsapp", "reachable": False})
    assert not (await page.phone("whatsapp"))["reachable"]
    await page.post("/send", {**ORDER, "channels": ["whatsapp", "sms"]})
    story = await page.wait_for("DELIVERED")
    assert [attempt["channel"] for attempt in story["attempts"]] == ["whatsapp", "sms"]
    await page.answer("sms", "Order A-17")


async def test_trouble_is_planned_and_used_up(page: Page) -> None:
    await page.post("/trouble", {"channel": "sms", "code": "30005"})
    await page.post("/trouble", {"channel": "sms"})
    assert (await page.phone("sms"))["faults"] == ["30005", "lost answer"]
    await page.post("/send", {**ORDER, "channels": ["sms"]})
    story = await page.wait_for("UNDELIVERED")
    assert "30005" in story["attempts"][0]["reason"]
    assert (await page.phone("sms"))["faults"] == []


async def test_a_provider_approves_or_rejects_what_was_submitted(page: Page) -> None:
    for name, approve, state in (("visit", True, "approved"), ("sale", False, "rejected")):
        draft = {"channel": "whatsapp", "name": name, "language": "en", "category": "UTILITY", "body": "See you soon."}
        key = f"whatsapp:demo:{name}:en"
        assert (await page.client.post("/api/v1/messageTemplates", draft))[0] == 201
        assert (await page.client.post(f"/api/v1/messageTemplates/{key}/submit", {}))[0] == 200
        assert (await page.phone("whatsapp"))["pending"] == [f"{name}/en"]
        judged = {"channel": "whatsapp", "template": f"{name}/en", "approve": approve}
        assert (await page.post("/judge", judged)).status == 204
        await until(partial(_is, page, key, state))
    assert (await page.phone("whatsapp"))["pending"] == []


async def _is(page: Page, key: str, state: str) -> bool:
    async with page.client.http.get(f"/api/v1/messageTemplates/{key}") as response:
        return bool((await response.json())["state"] == state)


async def test_a_person_who_stops(page: Page) -> None:
    assert (await page.phone("telegram"))["window"] == "the person has not started the bot"
    await page.post("/start", {"channel": "telegram"})
    await page.answer("telegram", "Hello")
    await page.post("/say", {"channel": "telegram", "text": "/stop"})
    await page.answer("telegram", "You will get no more")
    assert (await page.phone("telegram"))["window"] == "the person asked us to stop"


async def test_a_person_who_has_blocked_us(page: Page) -> None:
    await page.post("/start", {"channel": "vk"})
    await page.answer("vk", "Hello")
    await page.post("/trouble", {"channel": "vk", "code": "901"})
    await page.post("/send", {**ORDER, "channels": ["vk", "sms"]})
    await page.wait_for("DELIVERED")
    assert (await page.phone("vk"))["window"] == "the person has blocked us"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/start", {"channel": "pigeon"}, 404),
        ("/press", {"channel": "sms", "bubble": "none", "button": "Help"}, 404),
        ("/trouble", {"channel": "sms", "code": "no such code"}, 404),
        ("/judge", {"channel": "whatsapp", "template": "order_update/en", "approve": True}, 404),
        ("/say", {"channel": "sms", "text": ""}, 400),
        ("/clock", {"hours": -1}, 400),
        ("/send", {**ORDER, "channels": ["pigeon"]}, 400),
        ("/send", {**ORDER, "values": {}, "channels": ["sms"]}, 400),
        ("/send", {**ORDER, "text": "x" * 70_000, "channels": ["sms"]}, 413),
    ],
)
async def test_a_mistake_is_told_in_words(page: Page, path: str, body: object, status: int) -> None:
    response = await page.post(path, body)
    assert response.status == status
    assert (await response.json())["error"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""])
async def test_a_name_that_only_leads_here_is_refused(page: Page, host: str) -> None:
    for path in ("/", "/state", "/static/page.js"):
        assert (await page.get(path, Host=host)).status in {400, 403}, path


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
async def test_another_sites_page_cannot_act(page: Page, origin: str) -> None:
    response = await page.post("/switch", {"channel": "sms", "reachable": False}, Origin=origin)
    assert response.status == 403
    assert (await page.phone("sms"))["reachable"]


async def test_the_key_stays_behind_the_page(page: Page) -> None:
    await page.post("/start", {"channel": "telegram"})
    await page.post("/send", {**ORDER, "channels": ["sms"]})
    await page.post("/send", {**ORDER, "channels": ["pigeon"]})
    await page.wait_for("DELIVERED")
    for path in ("/", "/state", "/static/page.js", "/static/page.css", "/none"):
        response = await page.get(path)
        assert response.headers["Content-Security-Policy"] == POLICY
    assert len(page.answers) > 8
    assert not any(page.client.environment.key in answer for answer in page.answers)


async def test_the_command_runs_until_it_is_stopped(settings: Settings) -> None:
    stop = asyncio.Event()
    urls: asyncio.Queue[str] = asyncio.Queue()
    running = asyncio.create_task(demo(settings, 0, 0, stop, lambda page, _: urls.put_nowait(page)))
    async with aiohttp.ClientSession(await urls.get()) as http, http.get("/state") as response:
        assert len((await response.json())["phones"]) == len(bots.CHANNELS)
    stop.set()
    await asyncio.wait_for(running, 15)


async def test_a_port_that_is_taken_is_told(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await demo(settings, taken.getsockname()[1], 0, asyncio.Event(), print)

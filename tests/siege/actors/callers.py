"""The business's own services: they have something to tell people, and repeat it until it is accepted."""

import asyncio
import time
from contextlib import suppress
from random import Random
from typing import Any

import aiohttp

from tests.siege.auditing.books import Books, Order, Post
from tests.siege.field.camp import Camp

CASCADES = (("whatsapp", "sms"), ("telegram", "vk", "viber", "sms"))
LONG = 700
"""Words of a long order: two messages in Telegram and VK, four short messages."""

TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "{{order}}"}}
PATIENCE = 15.0
"""Seconds that a caller waits for an answer before it repeats the request."""


def caller(camp: Camp, patience: float = PATIENCE) -> aiohttp.ClientSession:
    """Somebody with an API key, before the balancer."""
    headers, timeout = {"Authorization": f"Bearer {camp.key}"}, aiohttp.ClientTimeout(total=patience)
    return aiohttp.ClientSession(camp.url, headers=headers, timeout=timeout)


async def joined(books: Books, http: aiohttp.ClientSession, phone: str) -> str:
    """The code by which the person's chats are joined to this phone."""
    answer = await _insist(books, http, "/api/v1/contacts", {"phone": phone}, 200)
    return str(answer["startCode"])


async def buy(books: Books, http: aiohttp.ClientSession, phone: str, random: Random) -> None:
    """Two orders to one person, some of them long."""
    for letter in "ab":
        await asyncio.sleep(random.uniform(0, 4))
        number, channels = f"{int(phone[5:])}{letter}", random.choice(CASCADES)
        long = channels[0] != "whatsapp" and random.random() < 0.3
        words = [f"{number}.{index}" for index in range(LONG if long else 1)]
        await order(books, http, Order(number, phone, words, channels))


async def order(books: Books, http: aiohttp.ClientSession, what: Order) -> None:
    """Have this accepted."""
    books.orders.append(what)
    what.began = time.monotonic()
    answer = await _insist(books, http, "/api/v1/messages", request(what), 202, key_of(what))
    what.id, what.accepted = answer["messages"][0]["id"], time.monotonic()


def key_of(what: Order) -> dict[str, str]:
    return {"Idempotency-Key": what.number}


def request(what: Order) -> dict[str, Any]:
    text = " ".join(what.words)
    to, steps = {"phone": what.phone, "variables": {"order": text}}, [_step(name, text) for name in what.channels]
    return {"messages": [{"destinations": [to], "channels": steps}]}


def _step(channel: str, text: str) -> dict[str, Any]:
    step = {"channel": channel, "text": text, "fallbackAfter": "PT2M"}
    return step | ({"template": TEMPLATE} if channel == "whatsapp" else {})


async def _insist(
    books: Books, http: aiohttp.ClientSession, path: str, body: Any, wanted: int, key: dict[str, str] | None = None
) -> Any:
    """What a careful caller does: the same request, with the same key, until there is an answer."""
    while True:
        began, status, answer, pause = time.monotonic(), 0, None, ""
        with suppress(aiohttp.ClientError, TimeoutError):
            async with http.post(path, json=body, headers=key) as response:
                pause = response.headers.get("Retry-After", "")
                status, answer = response.status, await response.json()
        books.posts.append(Post(status, time.monotonic() - began))
        if status == wanted:
            return answer
        assert status == 0 or (status == 503 and pause.isdecimal()), (status, pause, answer)
        await asyncio.sleep(0.3)


async def watch(camp: Camp, books: Books) -> None:
    """Ask for the status of every third order, over and over."""
    async with caller(camp) as http:
        while True:
            for what in [what for what in books.orders[::3] if what.id][-12:]:
                with suppress(aiohttp.ClientError, TimeoutError):
                    await _look(books, http, what)
            await asyncio.sleep(0.3)


async def _look(books: Books, http: aiohttp.ClientSession, what: Order) -> None:
    async with http.get(f"/api/v1/messages/{what.id}") as response:
        if response.status == 200:
            books.seen.setdefault(what.id, []).append((await response.json())["status"])

"""The business's own services, which post orders and repeat each request until it is accepted."""

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
"""Words of a long order, which needs two messages in Telegram and VK and four in SMS."""

TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "{{order}}"}}
PATIENCE = 15.0
"""Seconds that a caller waits for an answer before it repeats the request."""


def caller(camp: Camp, patience: float = PATIENCE) -> aiohttp.ClientSession:
    """Return a session with the API key, on the balancer's address."""
    headers, timeout = {"Authorization": f"Bearer {camp.key}"}, aiohttp.ClientTimeout(total=patience)
    return aiohttp.ClientSession(camp.url, headers=headers, timeout=timeout)


async def start_code(books: Books, http: aiohttp.ClientSession, phone: str) -> str:
    """Create the contact. Returns the code that joins the person's chats to this phone."""
    answer = await _post_until_answered(books, http, "/api/v1/contacts", {"phone": phone}, 200)
    return str(answer["startCode"])


async def place_orders(books: Books, http: aiohttp.ClientSession, phone: str, random: Random) -> None:
    """Place two orders for one person, of which some are long."""
    for letter in "ab":
        await asyncio.sleep(random.uniform(0, 4))
        number, channels = f"{int(phone[5:])}{letter}", random.choice(CASCADES)
        is_long = channels[0] != "whatsapp" and random.random() < 0.3
        words = [f"{number}.{index}" for index in range(LONG if is_long else 1)]
        await place_order(books, http, Order(number, phone, words, channels))


async def place_order(books: Books, http: aiohttp.ClientSession, order: Order) -> None:
    """Post the order until it is accepted, and note it in the books."""
    books.orders.append(order)
    order.began = time.monotonic()
    answer = await _post_until_answered(books, http, "/api/v1/messages", order_body(order), 202, headers_of(order))
    order.id, order.accepted = answer["messages"][0]["id"], time.monotonic()


def headers_of(order: Order) -> dict[str, str]:
    return {"Idempotency-Key": order.number}


def order_body(order: Order) -> dict[str, Any]:
    text = " ".join(order.words)
    destination = {"phone": order.phone, "variables": {"order": text}}
    steps = [_step(name, text) for name in order.channels]
    return {"messages": [{"destinations": [destination], "channels": steps}]}


def _step(channel: str, text: str) -> dict[str, Any]:
    step = {"channel": channel, "text": text, "fallbackAfter": "PT2M"}
    return step | ({"template": TEMPLATE} if channel == "whatsapp" else {})


async def _post_until_answered(
    books: Books,
    http: aiohttp.ClientSession,
    path: str,
    body: Any,
    expected_status: int,
    headers: dict[str, str] | None = None,
) -> Any:
    """Repeat the same request with the same key until it has the expected status. Returns the response."""
    while True:
        begin, status, answer, pause = time.monotonic(), 0, None, ""
        with suppress(aiohttp.ClientError, TimeoutError):
            async with http.post(path, json=body, headers=headers) as response:
                pause = response.headers.get("Retry-After", "")
                status, answer = response.status, await response.json()
        books.posts.append(Post(status, time.monotonic() - begin))
        if status == expected_status:
            return answer
        assert status == 0 or (status == 503 and pause.isdecimal()), (status, pause, answer)
        await asyncio.sleep(0.3)


async def poll_statuses(camp: Camp, books: Books) -> None:
    """Request the status of every third order, over and over."""
    async with caller(camp) as http:
        while True:
            for order in [order for order in books.orders[::3] if order.id][-12:]:
                with suppress(aiohttp.ClientError, TimeoutError):
                    await _poll_status(books, http, order)
            await asyncio.sleep(0.3)


async def _poll_status(books: Books, http: aiohttp.ClientSession, order: Order) -> None:
    async with http.get(f"/api/v1/messages/{order.id}") as response:
        if response.status == 200:
            books.statuses.setdefault(order.id, []).append((await response.json())["status"])

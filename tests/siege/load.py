"""Who uses the gateway during a siege: people who write to the bot, and callers who have something to tell them."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from bots.simulation import Delivery
from tests.siege.camp import Camp

BOTS = ("telegram", "vk", "viber", "whatsapp")
ANSWERS = {"/start": "Hello", "/help": "/start - get", "Are you there?": "I did not understand that"}
"""What people write, and how the bundled conversation's answer begins."""

CASCADES = (("whatsapp", "sms"), ("telegram", "vk", "viber", "sms"))
LONG = 700
"""Words of a long order: two messages in Telegram and VK, four short messages."""

TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "{{order}}"}}
PATIENCE = aiohttp.ClientTimeout(total=15)
"""How long a caller waits for an answer before it repeats the request."""


@dataclass(frozen=True)
class Question:
    """A message of a person's, and how the provider brought it to us."""

    channel: str
    user: str
    text: str
    delivery: Delivery


@dataclass
class Order:
    """What a caller had to tell a person. Its words are its own, so that every piece of it can be found again.

    `began` and `accepted` are when it was first posted and when we first heard a 202 (monotonic clock).
    """

    number: str
    phone: str
    words: list[str]
    channels: tuple[str, ...]
    began: float = 0
    accepted: float = 0
    id: str = ""


@dataclass
class Books:
    """What happened, as those outside saw it. `seen`: the statuses that the API told of an order, one after another."""

    questions: list[Question] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    seen: dict[str, list[str]] = field(default_factory=dict)
    posts: list[tuple[int, float]] = field(default_factory=list)


async def crowd(camp: Camp, books: Books, stop: asyncio.Event, per_second: float) -> None:
    """New people keep coming until `stop`; then the last of them finish."""
    async with asyncio.TaskGroup() as people:
        number = 0
        while not stop.is_set():
            number += 1
            people.create_task(_live(camp, books, number, Random(camp.random.random())))
            await asyncio.sleep(camp.random.expovariate(per_second))


async def _live(camp: Camp, books: Books, number: int, random: Random) -> None:
    """One person writes to some of the bots, while two orders are on their way to them."""
    phone = f"+7900{number:07}"
    headers = {"Authorization": f"Bearer {camp.key}"}
    async with aiohttp.ClientSession(camp.url, headers=headers, timeout=PATIENCE) as http:
        joined = await _insist(books, http, "/api/v1/contacts", {"phone": phone}, 200)
        chats = [_talk(camp, books, channel, phone, joined["startCode"], random) for channel in _some(random)]
        await asyncio.gather(*chats, _buy(books, http, phone, random))


def _some(random: Random) -> list[str]:
    return random.sample(BOTS, random.randint(1, 3))


async def _talk(camp: Camp, books: Books, channel: str, phone: str, code: str, random: Random) -> None:
    simulator = camp.simulators[channel]
    user = simulator.user_of(phone)
    simulator.phone(user).reachable = channel != "whatsapp" or random.random() > 0.1
    texts = ["/start", *random.choices(list(ANSWERS), k=random.randint(1, 3))]
    for index, text in enumerate(texts):
        await simulator.say(user, text if index else f"{text} {code}")
        books.questions.append(Question(channel, user, text, simulator.deliveries[-1]))
        await asyncio.sleep(random.uniform(0.1, 3))


async def _buy(books: Books, http: aiohttp.ClientSession, phone: str, random: Random) -> None:
    for letter in "ab":
        await asyncio.sleep(random.uniform(0, 4))
        number = f"{int(phone[5:])}{letter}"
        channels = random.choice(CASCADES)
        long = channels[0] != "whatsapp" and random.random() < 0.3
        words = [f"{number}.{index}" for index in range(LONG if long else 1)]
        order = Order(number, phone, words, channels, began=time.monotonic())
        books.orders.append(order)
        answer = await _insist(books, http, "/api/v1/messages", _request(order), 202, **{"Idempotency-Key": number})
        order.id, order.accepted = answer["messages"][0]["id"], time.monotonic()


def _request(order: Order) -> dict[str, Any]:
    text = " ".join(order.words)
    steps: list[dict[str, Any]] = [
        {"channel": name, "text": text, "fallbackAfter": "PT2M"}
        | ({"template": TEMPLATE} if name == "whatsapp" else {})
        for name in order.channels
    ]
    to = {"phone": order.phone, "variables": {"order": text}}
    return {"messages": [{"destinations": [to], "channels": steps}]}


async def _insist(
    books: Books, http: aiohttp.ClientSession, path: str, body: Mapping[str, Any], wanted: int, **headers: str
) -> Any:
    """What a careful caller does: the same request, with the same key, until there is an answer."""
    while True:
        began, status = time.monotonic(), 0
        try:
            async with http.post(path, json=body, headers=headers) as response:
                status, answer = response.status, await response.json()
        except (aiohttp.ClientError, TimeoutError):
            pass
        books.posts.append((status, time.monotonic() - began))
        if status == wanted:
            return answer
        assert status in {0, 503}, (status, answer)
        await asyncio.sleep(0.3)


async def watch(camp: Camp, books: Books) -> None:
    """Ask for the status of every third order, over and over."""
    async with aiohttp.ClientSession(camp.url, headers={"Authorization": f"Bearer {camp.key}"}) as http:
        while True:
            for order in [order for order in books.orders[::3] if order.id][-12:]:
                await _look(books, http, order)
            await asyncio.sleep(0.3)


async def _look(books: Books, http: aiohttp.ClientSession, order: Order) -> None:
    try:
        async with http.get(f"/api/v1/messages/{order.id}") as response:
            if response.status == 200:
                books.seen.setdefault(order.id, []).append((await response.json())["status"])
    except (aiohttp.ClientError, TimeoutError):
        pass

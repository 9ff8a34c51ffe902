"""Tests that one person gets messages in the order of their acceptance, whichever process sends them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.runtime.loop import Item, Own, loop
from gateway.runtime.runtime import Runtime
from gateway.runtime.settings.settings import Settings
from storage.engine.database import DatabaseError
from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import accepted_messages, another_worker, open_conversations, phones, send_all

CHANNELS = ("telegram", "vk", "viber", "whatsapp", "sms")
IN_BETWEEN = {"telegram": "429", "vk": "10", "viber": "12", "whatsapp": "131016", "sms": "20429"}
"""The error that each provider returns once, after which the gateway tries again."""
FREE = {"account": "none", "person": "none"}
MANY, TEXT_COUNT = 30, 14
"""One person gets no more than 15 answers in half a minute."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Remove the rate limits and use the echo bot."""
    limits = dict.fromkeys((f"{channel}:demo" for channel in CHANNELS), FREE)
    return replace(settings, limits=limits, conversation="tests.support.echo_bot:reply")


async def recipient(demo: ApiClient, channel: str, number: int) -> dict[str, Any]:
    """Return a destination that this channel reaches."""
    (destination,) = phones(1, first=number)
    return destination if channel == "sms" else (await open_conversations(demo, channel, [destination]))[0]


async def received_texts(demo: ApiClient, channel: str, number: int) -> list[str]:
    """Send MANY numbered messages to one person in one request. Returns the texts in the provider's order."""
    destination = await recipient(demo, channel, number)
    destinations = [destination | {"variables": {"n": str(index)}} for index in range(MANY)]
    await send_all(demo, destinations, {"channel": channel, "text": "{{n}}"}, priority="normal")

    async def all_texts() -> list[str]:
        texts = [line.text for line in accepted_messages(demo, channel)]
        return texts if len(texts) >= MANY else []

    return await until(all_texts, patience=60)


async def test_thirty_messages_arrive_in_order_on_each_channel(demo: ApiClient) -> None:
    """Three workers share the messages, and each provider refuses one in between."""
    for channel, code in IN_BETWEEN.items():
        demo.environment.simulators[channel].faults.planned.extend([""] * 4 + [code])
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(another_worker(demo))
        texts = await asyncio.gather(*(received_texts(demo, channel, 700 + n) for n, channel in enumerate(CHANNELS)))
    numbers = [str(index) for index in range(MANY)]
    assert dict(zip(CHANNELS, texts, strict=True)) == dict.fromkeys(CHANNELS, numbers)


async def test_others_are_not_held_up_by_one_persons_order(demo: ApiClient) -> None:
    """One person's first message is refused for an hour: only that person's later messages wait."""
    simulator = demo.environment.simulators["vk"]
    simulator.faults.fail(9)
    first_person = await recipient(demo, "vk", 700)
    first, second = [(await send_all(demo, [first_person], {"channel": "vk", "text": text}))[0] for text in ("1", "2")]
    await demo.wait_for_attempt(first, "vk", "PENDING", cause="unavailable")
    await demo.wait_for_decision(second, "vk: an earlier message to this person goes first")
    (other_key,) = await send_all(demo, [await recipient(demo, "vk", 701)], {"channel": "vk", "text": "3"})
    await demo.wait_for(other_key, "SENT")
    assert [line.text for line in accepted_messages(demo, "vk")] == ["3"]
    (elsewhere,) = await send_all(demo, phones(1, first=700), {"channel": "sms", "text": "4"})
    await demo.wait_for(elsewhere, "DELIVERED")
    for _ in range(4):
        demo.pass_time(hours=0.1)
        demo.environment.runtime.outbox_bell.set()
    await demo.wait_for(second, "SENT")
    assert [line.text for line in accepted_messages(demo, "vk")] == ["3", "1", "2"]


async def test_a_conversation_is_answered_in_its_order(demo: ApiClient) -> None:
    """Three workers process a row of texts in each of two messengers."""
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(another_worker(demo))
        answers = await asyncio.gather(*(_answers_to_texts(demo, channel) for channel in ("telegram", "vk")))
    assert answers == [[f"You said: text {number}" for number in range(TEXT_COUNT)]] * 2


async def test_what_was_taken_behind_one_that_is_left_to_the_queue_does_not_overtake_it(demo: ApiClient) -> None:
    """The database fails during the first event and is back when the second would begin."""
    order, stop, outage = list[str](), asyncio.Event(), asyncio.Event()

    async def breaks() -> None:
        await outage.wait()
        raise DatabaseError("gone")

    async def hear(word: str) -> None:
        order.append(word)

    def item(name: str, lane: str, work: Callable[[], Awaitable[None]] | None = None) -> Item:
        return Item(name, lane, "", work or partial(hear, f"{name} done"), partial(hear, f"{name} back"))

    batches = iter([[item("1", "a", breaks), item("2", "a"), item("3", "a"), item("4", "b")], [item("5", "a")]])

    async def take(_: Runtime, room: int, __: Own) -> Sequence[Item]:
        return next(batches, []) if room and not (order and not outage.is_set()) else []

    working = asyncio.create_task(loop(demo.environment.runtime, "inbox", take, asyncio.Event(), stop))
    await until(lambda: _is_equal(order, ["4 done"]))
    outage.set()
    await until(lambda: _is_equal(order, ["4 done", "2 back", "3 back", "5 done"]))
    stop.set()
    await working


async def _is_equal(actual: list[str], expected: list[str]) -> bool:
    return actual == expected


async def _answers_to_texts(demo: ApiClient, channel: str) -> list[str]:
    """Write TEXT_COUNT texts to the bot and return its answers."""
    simulator = demo.environment.simulators[channel]
    for number in range(TEXT_COUNT):
        await simulator.say(simulator.user_of(PHONE), f"text {number}")
    await demo.answer(channel, TEXT_COUNT - 1)
    return [bubble.text for bubble in demo.answers(channel)]

"""Tests that a conversation keeps its order where a process is slow at the worst moment: each seam is made slow."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo.errors import AutoReconnect

from gateway.domain.channel.calls import Call
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Content, Session
from gateway.runtime import loop
from gateway.runtime.runtime import Runtime
from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import another_worker
from webhooks.demo.environment import opened_environment

SHORT = timedelta(seconds=1)
TEXTS = ("first", "second", "third")


async def answer(event: Inbound, _: Session) -> Content:
    return Content(f"to {event.content.text}")


async def say(client: ApiClient, text: str) -> None:
    """Write to the bot, and wait until the gateway has stored it."""
    simulator = client.environment.simulators["whatsapp"]
    await simulator.say(simulator.user_of(PHONE), text)
    await simulator.quiet()


async def answers(client: ApiClient, count: int) -> list[str]:
    """Wait for so many answers. Returns them all, oldest first."""
    await client.answer("whatsapp", count - 1)
    return [bubble.text for bubble in client.answers("whatsapp")]


async def test_what_fails_while_others_are_taken_is_not_overtaken(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away for one event only, while the worker is taking the next one of the conversation."""
    runtime, begun, taking = demo.environment.runtime, asyncio.Event(), asyncio.Event()
    claim = runtime.inbox.claim

    async def failing_once(event: Inbound, session: Session) -> Content:
        if event.content.text == "second" and not taking.is_set():
            begun.set()
            await taking.wait()
            raise AutoReconnect("gone")
        return await answer(event, session)

    async def slow_claim(*args: Any) -> Sequence[Any]:
        if await is_due(runtime, "third", args[0]) and not taking.is_set():
            taking.set()
            await until(lambda: is_due(runtime, "second", runtime.clock()))
            await asyncio.sleep(0)  # its task ends
        return await claim(*args)

    runtime.conversation = failing_once
    monkeypatch.setattr(runtime.inbox, "claim", slow_claim)
    await say(demo, "first")
    await answers(demo, 1)
    await say(demo, "second")
    await begun.wait()
    await say(demo, "third")
    assert await answers(demo, 3) == ["to first", "to second", "to third"]


@pytest.mark.parametrize("seam", ["claim", "answer"])
async def test_whose_lease_runs_out_unnoticed_changes_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, seam: str
) -> None:
    """It stands still between claim and work, or before its answer is stored, until another has done its work."""
    held, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        if not held.is_set():
            held.set()
            await done.wait()

    async def slow_answer(event: Inbound, session: Session) -> Content:
        await hold()
        return await answer(event, session)

    monkeypatch.setattr(loop, "renew", too_late)
    async with opened_environment(replace(settings, lease=SHORT)) as environment, ApiClient.of(environment) as client:
        runtime = environment.runtime
        claim = runtime.inbox.claim

        async def slow_claim(*args: Any) -> Sequence[Any]:
            items = await claim(*args)
            await (hold() if items else asyncio.sleep(0))
            return items

        runtime.conversation = slow_answer if seam == "answer" else answer
        if seam == "claim":
            monkeypatch.setattr(runtime.inbox, "claim", slow_claim)
        for text in TEXTS:
            await say(client, text)
        await held.wait()
        async with another_worker(client) as other:
            other.conversation = answer
            await answers(client, len(TEXTS))
        done.set()
        await say(client, "last")
        assert await answers(client, len(TEXTS) + 1) == [f"to {text}" for text in (*TEXTS, "last")]


async def too_late(*_: Any) -> None:
    """Renew no lease: whoever would do it stands still."""


async def test_a_repeated_webhook_is_not_answered_again(demo: ApiClient) -> None:
    simulator = demo.environment.simulators["whatsapp"]
    demo.environment.runtime.conversation = answer
    await say(demo, "first")
    first = simulator.deliveries[-1].call
    await say(demo, "second")
    await answers(demo, 2)
    assert (await simulator.post_webhook(first))[0] == 200
    await say(demo, "third")
    assert await answers(demo, 3) == ["to first", "to second", "to third"]


async def test_a_message_that_arrives_late_is_answered_when_it_arrives(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is that of arrival: the provider could not deliver the first message before the second one."""
    simulator, kept = demo.environment.simulators["whatsapp"], list[Call]()
    demo.environment.runtime.conversation = answer
    with monkeypatch.context() as patch:
        patch.setattr(simulator, "deliver", kept.append)
        await say(demo, "first")
    await say(demo, "second")
    await answers(demo, 1)
    assert (await simulator.post_webhook(kept[0]))[0] == 200
    assert await answers(demo, 2) == ["to second", "to first"]


async def is_due(runtime: Runtime, text: str, now: datetime) -> bool:
    """Return whether the event with this text is due by `now`."""
    query = {"event.content.text": text, "due_at": {"$lte": now}}
    return await runtime.db["inbox"].find_one(query) is not None

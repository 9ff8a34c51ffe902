"""Tests a slow bot of the operator's own: it gets each event once and in order, and delays nobody else."""

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Content, Session
from gateway.runtime.runtime import Runtime
from gateway.runtime.settings.settings import Settings
from gateway.runtime.settings.tuning import Tuning
from tests.support.client import PHONE, ApiClient, until
from webhooks.demo.environment import opened_environment

OTHER = "+79000000002"
CALLS: list[str] = []


LONG = ("text 0", "text 4")
"""What is thought about for longer than a lease."""

RUNTIMES: list[Runtime] = []
"""The runtime in which the bot is asked."""


async def slow(event: Inbound, _: Session) -> Content:
    CALLS.append(event.content.text)
    if event.content.text in LONG:
        await _outlast_lease(RUNTIMES[-1], event)
    return Content(f"so: {event.content.text}")


async def _outlast_lease(runtime: Runtime, event: Inbound) -> None:
    """Wait until the lease would have run out under which the event was taken."""
    taken = await runtime.db["inbox"].find_one({"_id": event.dedupe_key})
    assert taken

    async def is_over() -> bool:
        return bool(runtime.clock() > taken["due_at"])

    await until(is_over)


async def hanging(event: Inbound, _: Session) -> Content:
    if event.content.text == "hang":
        CALLS.append(event.content.text)
        await asyncio.Event().wait()
    return Content("here")


async def test_it_hears_everything_once_and_in_order(settings: Settings) -> None:
    """Some answers take longer than a lease, but a worker that is alive keeps its work."""
    CALLS.clear()
    slowly = replace(
        settings, lease=timedelta(seconds=1), conversation="tests.gateway.conversations.test_slow_bot:slow"
    )
    async with opened_environment(slowly) as demo, ApiClient.of(demo) as client:
        RUNTIMES.append(demo.runtime)
        whatsapp, texts = demo.simulators["whatsapp"], [f"text {number}" for number in range(8)]
        for text in texts:
            await whatsapp.say(whatsapp.user_of(PHONE), text)

        async def has_answers() -> bool | None:
            return len(client.answers("whatsapp")) == len(texts) or None

        await until(has_answers)
        assert [answer.text for answer in client.answers("whatsapp")] == [f"so: {text}" for text in texts]
    assert texts == CALLS


async def test_one_that_hangs_holds_up_one_conversation_for_a_while(settings: Settings) -> None:
    CALLS.clear()
    hung = replace(
        settings,
        lease=timedelta(seconds=1),
        conversation="tests.gateway.conversations.test_slow_bot:hanging",
        tuning=Tuning(event_timeout=timedelta(seconds=0.3), event_pauses=(timedelta(seconds=0.1),)),
    )
    async with opened_environment(hung) as demo, ApiClient.of(demo) as client:
        whatsapp = demo.simulators["whatsapp"]
        await whatsapp.say(whatsapp.user_of(PHONE), "hang")
        await whatsapp.say(whatsapp.user_of(PHONE), "still there?")
        assert (await client.say("whatsapp", "hello", OTHER)).text == "here"
        assert (await client.answer("whatsapp", 0)).text == "here"
    assert CALLS == ["hang", "hang"]

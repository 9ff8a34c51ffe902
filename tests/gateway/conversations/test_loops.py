"""Machines that answer our answers: the bot stops before they do, in whichever process it runs."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from bots.conversation import Content, Inbound, Session
from tests.gateway.conversations.test_consent import session_of, shown
from tests.gateway.conversations.test_groups import wait_until_done
from tests.support.client import PHONE, ApiClient, until

QUESTIONS = 20


async def echo(event: Inbound, session: Session) -> Content:
    """Answer each text with another one."""
    return Content(f"You said: {event.content.text}")


async def ask(demo: ApiClient, texts: list[str]) -> list[str]:
    """Let the person write these texts, and wait until all are worked on. Returns the events' keys."""
    sms = demo.environment.simulators["sms"]
    for text in texts:
        await sms.say(PHONE, text)
    keys = [f"sms:demo:{bubble.id}" for bubble in demo.screen("sms") if bubble.mine][-len(texts) :]
    await asyncio.gather(*(wait_until_done(demo, key) for key in keys))
    return keys


async def count_replies(demo: ApiClient) -> int:
    """Return how many answers were accepted by the provider, once all that were to be sent are."""
    db = demo.environment.runtime.db

    async def is_all_sent() -> bool:
        return await db["notifications"].count_documents({"due_at": {"$ne": None}}) == 0

    await until(is_all_sent)
    return len(demo.answers("sms"))


def withheld(reason: str) -> float:
    labels = {"channel": "sms", "reason": reason}
    return REGISTRY.get_sample_value("gateway_answers_withheld_total", labels) or 0.0


@pytest.fixture
def echoing(demo: ApiClient) -> ApiClient:
    """Return an environment whose bot never says the same."""
    demo.environment.runtime.conversation = echo
    return demo


async def test_a_machine_that_says_the_same_is_answered_twice(demo: ApiClient) -> None:
    before = withheld("same")
    keys = await ask(demo, ["I am driving"] * QUESTIONS)
    assert await count_replies(demo) == 2
    assert withheld("same") - before == QUESTIONS - 2
    told = [key for key in keys if (await shown(demo, f"/api/v1/messages/reply:{key}")).get("status") == "CANCELLED"]
    assert told == keys[2:3], "the first that is withheld has a story, and only that"
    story = await shown(demo, f"/api/v1/messages/reply:{told[0]}")
    assert story["decisions"][-1]["text"] == "not sent: the person has had this answer 2 times in a row"


async def test_a_machine_that_says_something_else_each_time_is_answered_so_often(echoing: ApiClient) -> None:
    before = withheld("often")
    await ask(echoing, [f"I am driving, {number}" for number in range(QUESTIONS)])
    assert await count_replies(echoing) == 15
    assert withheld("often") - before == QUESTIONS - 15


async def test_others_are_answered_all_the_same_and_what_was_said_is_kept(demo: ApiClient) -> None:
    await ask(demo, ["I am driving"] * 5)
    other = "+79000000002"
    assert "did not understand" in (await demo.say("sms", "hello", other)).text
    lines = (await shown(demo, f"/api/v1/sessions/{session_of(demo, 'sms', PHONE)}/messages"))["messages"]
    assert sum(line["direction"] == "in" for line in lines) == 5

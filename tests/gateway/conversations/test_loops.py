"""Machines that answer our answers: the bot stops before they do, in whichever process it runs."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from bots.conversation import Content, Inbound, Session
from gateway.domain.model.nouns import Media
from tests.gateway.conversations.test_consent import session_of, shown
from tests.gateway.conversations.test_groups import wait_until_done
from tests.support.client import PHONE, ApiClient, until

QUESTIONS = 20
NAMED = {"hour": "an hour", "day": "a day"}


async def echo(event: Inbound, session: Session) -> Content:
    """Answer each text with another one."""
    return Content(f"You said: {event.content.text}")


async def ask(demo: ApiClient, texts: list[str], channel: str = "sms") -> list[str]:
    """Let the person write these texts, and wait until all are worked on. Returns the events' keys."""
    simulator = demo.environment.simulators[channel]
    for text in texts:
        await simulator.say(simulator.user_of(PHONE), text)
    keys = [f"{channel}:demo:{bubble.id}" for bubble in demo.screen(channel) if bubble.mine][-len(texts) :]
    await asyncio.gather(*(wait_until_done(demo, key) for key in keys))
    return keys


async def count_replies(demo: ApiClient, channel: str = "sms") -> int:
    """Return how many answers were accepted by the provider, once all that were to be sent are."""
    db = demo.environment.runtime.db

    async def is_all_sent() -> bool:
        return await db["notifications"].count_documents({"due_at": {"$ne": None}}) == 0

    await until(is_all_sent)
    return len(demo.answers(channel))


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


async def test_another_picture_with_the_same_words_is_another_answer(demo: ApiClient) -> None:
    async def show(event: Inbound, session: Session) -> Content:
        return Content("Look", media=Media("image", url=f"https://shop.ru/{event.content.text}.png"))

    demo.environment.runtime.conversation = show
    await ask(demo, ["one", "two", "three", "four"])
    assert await count_replies(demo) == 4


async def test_a_machine_that_says_something_else_each_time_is_answered_so_often(echoing: ApiClient) -> None:
    before = withheld("often")
    await ask(echoing, [f"I am driving, {number}" for number in range(QUESTIONS)])
    assert await count_replies(echoing) == 15
    assert withheld("often") - before == QUESTIONS - 15


async def test_a_stop_is_confirmed_once_however_many_answers_have_gone(echoing: ApiClient) -> None:
    """By WhatsApp: text messages are stopped, and that is confirmed, by their provider."""
    await ask(echoing, [f"I am driving, {number}" for number in range(QUESTIONS)], "whatsapp")
    await ask(echoing, ["stop", "[stop]"], "whatsapp")
    assert await count_replies(echoing, "whatsapp") == 15 + 1
    assert echoing.answers("whatsapp")[-1].text == "You said: stop"
    await ask(echoing, ["start", "stop"], "whatsapp")
    assert await count_replies(echoing, "whatsapp") == 15 + 2


async def test_the_answers_of_an_hour_and_of_a_day_are_limited_too(echoing: ApiClient) -> None:
    """Two machines that are slow enough for the limit of half a minute could talk for ever."""
    await ask(echoing, ["hello"])
    sessions = echoing.environment.runtime.db["sessions"]
    for name, most in (("hour", 60), ("day", 200)):
        spans = {name: {"since": echoing.environment.runtime.clock(), "said": most - 1}}
        await sessions.update_one({"_id": session_of(echoing, "sms", PHONE)}, {"$set": {"spans": spans}})
        before, said = withheld(name), await count_replies(echoing)
        keys = await ask(echoing, [f"{name} {number}" for number in range(3)])
        assert (await count_replies(echoing) - said, withheld(name) - before) == (1, 2)
        story = await shown(echoing, f"/api/v1/messages/reply:{keys[1]}")
        assert (
            story["decisions"][-1]["text"] == f"not sent: {most} answers have gone to this person within {NAMED[name]}"
        )


async def test_others_are_answered_all_the_same_and_what_was_said_is_kept(demo: ApiClient) -> None:
    await ask(demo, ["I am driving"] * 5)
    other = "+79000000002"
    assert "did not understand" in (await demo.say("sms", "hello", other)).text
    lines = (await shown(demo, f"/api/v1/sessions/{session_of(demo, 'sms', PHONE)}/messages"))["messages"]
    assert sum(line["direction"] == "in" for line in lines) == 5

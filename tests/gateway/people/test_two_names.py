"""Tests a WhatsApp person who is named by a number first and by a user id later: that is one chat."""

from typing import Any

import pytest

from tests.gateway.people.test_rivalry import FIRST, NUMBER, SECOND, write
from tests.support.client import PHONE, ApiClient
from tests.support.workload import decisions_text, send_all
from webhooks.demo.environment import ACCOUNT

NAMES = {"number": NUMBER, "both": {**NUMBER, "from_user_id": FIRST}, "id": {"from_user_id": FIRST}}
CHATS = [f"whatsapp:{ACCOUNT}:{user}" for user in (NUMBER["from"], FIRST)]
WHATSAPP = {"channel": "whatsapp", "text": "Your result is here."}
READ = {"DELIVERED", "READ"}


async def say(demo: ApiClient, text: str, names: str) -> None:
    """Let the person say this by these of their names; what comes next comes an hour later."""
    await write(demo, text, **NAMES[names])
    demo.pass_time(1)


async def outcome(demo: ApiClient) -> tuple[str, str]:
    """Return how a message to the person's number ended, and its decisions."""
    (key,) = await send_all(demo, [{"phone": PHONE}], WHATSAPP)
    story = await demo.wait_for(key, "DELIVERED", "READ", "UNDELIVERED")
    return story["attempts"][0]["status"], decisions_text(story)


async def shown(demo: ApiClient) -> list[Any]:
    """Return both conversations as an operator sees them."""
    return [await (await demo.http.get(f"/api/v1/sessions/{key}")).json() for key in CHATS]


@pytest.mark.parametrize("hello", ["number", "both"])
async def test_a_stop_and_a_start_count_by_whichever_name_they_came(demo: ApiClient, hello: str) -> None:
    await say(demo, "hello", hello)
    await say(demo, "my number", "both")
    for stop, start in [("number", "both"), ("both", "number"), ("id", "number"), ("number", "id"), ("id", "id")]:
        await say(demo, "stop", stop)
        status, decisions = await outcome(demo)
        assert (status, "asked us to stop" in decisions) == ("SKIPPED", True), (stop, start)
        assert {session["state"] for session in await shown(demo)} == {"stopped"}
        await say(demo, "start", start)
        assert (await outcome(demo))[0] in READ, (stop, start)


@pytest.mark.parametrize(("first", "second"), [("number", "both"), ("both", "number")])
async def test_the_window_is_open_by_whichever_name_the_person_wrote(demo: ApiClient, first: str, second: str) -> None:
    await say(demo, "hello", first)
    demo.pass_time(25)
    await say(demo, "again", second)
    assert (await outcome(demo))[0] in READ
    assert [session["window"]["open"] for session in await shown(demo)] == [True, True]
    replies = [await demo.post(f"/api/v1/sessions/{key}/messages", {"text": "Good day!"}) for key in CHATS]
    assert [status for status, _ in replies] == [202, 202]


async def test_a_new_owner_of_the_number_is_not_bound_by_what_the_former_one_says(demo: ApiClient) -> None:
    await say(demo, "hello", "number")
    await say(demo, "hi", "both")
    await write(demo, "my number now", **NUMBER, from_user_id=SECOND)
    demo.pass_time(1)
    await say(demo, "stop", "id")
    assert (await outcome(demo))[0] in READ

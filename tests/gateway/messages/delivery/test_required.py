"""Tests required steps, which go out whatever the other steps do and do not affect them."""

from typing import Any

from tests.support.client import PHONE, ApiClient
from tests.support.workload import attempt_statuses, open_conversations, send_one, texts

TELEGRAM = {"channel": "telegram", "text": "Hi"}
VIBER = {"channel": "viber", "text": "Hi"}
SMS = {"channel": "sms", "text": "By law"}
REQUIRED = {**SMS, "required": True}


async def open_chats(demo: ApiClient, *channels: str) -> None:
    """Give PHONE an open conversation on each of these channels."""
    for channel in channels:
        (destination,) = await open_conversations(demo, channel, [{"phone": PHONE}])
        contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
        await demo.environment.runtime.db["sessions"].update_one(
            {"_id": destination["chatSessionId"]}, {"$set": {"contact": contact["id"]}}
        )


def sorted_statuses(story: Any) -> list[tuple[str, str]]:
    return sorted(attempt_statuses(story))


async def test_both_arrive_and_each_once(demo: ApiClient) -> None:
    await open_chats(demo, "telegram")
    key = await send_one(demo, TELEGRAM, REQUIRED)
    story = await demo.wait_for(key, "DELIVERED")
    assert sorted_statuses(story) == [("sms", "DELIVERED"), ("telegram", "SENT")]
    assert (texts(demo, "telegram"), texts(demo, "sms")) == (["Hi"], ["By law"])


async def test_the_others_go_on_as_before(demo: ApiClient) -> None:
    """The first step is refused, so the second is tried; the third is not needed."""
    await open_chats(demo, "telegram", "viber", "vk")
    demo.environment.simulators["telegram"].faults.fail("403")
    key = await send_one(demo, TELEGRAM, REQUIRED, VIBER, {"channel": "vk", "text": "Hi"})
    await demo.wait_for_decision(key, "sms: delivered")
    story = await demo.wait_for(key, "READ")
    assert sorted_statuses(story) == [("sms", "DELIVERED"), ("telegram", "UNDELIVERED"), ("viber", "READ")]
    assert (texts(demo, "sms"), texts(demo, "vk"), len(texts(demo, "viber"))) == (["By law"], [], 1)


async def test_it_is_no_fallback_of_the_others(demo: ApiClient) -> None:
    """The required step has arrived, and the others are still tried to their end."""
    demo.environment.simulators["telegram"].faults.fail("403")
    await open_chats(demo, "telegram")
    key = await send_one(demo, REQUIRED, TELEGRAM)
    await demo.wait_for_attempt(key, "telegram", "UNDELIVERED")
    story = await demo.wait_for(key, "DELIVERED")
    assert sorted_statuses(story) == [("sms", "DELIVERED"), ("telegram", "UNDELIVERED")]


async def test_without_an_address_it_is_passed_over(demo: ApiClient) -> None:
    (destination,) = await open_conversations(demo, "telegram", [{"phone": PHONE}])
    key = await demo.send(TELEGRAM, REQUIRED, chatSessionId=destination["chatSessionId"])
    story = await demo.wait_for(key, "SENT")
    assert sorted_statuses(story) == [("sms", "SKIPPED"), ("telegram", "SENT")]
    assert "sms: no phone number is known" in [attempt["reason"] for attempt in story["attempts"]]


async def test_if_it_fails_the_rest_decides_the_status(demo: ApiClient) -> None:
    await open_chats(demo, "telegram")
    demo.environment.simulators["sms"].faults.fail(21614)
    key = await send_one(demo, TELEGRAM, REQUIRED)
    await demo.wait_for_attempt(key, "sms", "UNDELIVERED")
    story = await demo.wait_for(key, "SENT", "UNDELIVERED")
    assert story["status"] == "SENT"
    assert sorted_statuses(story) == [("sms", "UNDELIVERED"), ("telegram", "SENT")]


async def test_the_answer_says_that_it_is_required(demo: ApiClient) -> None:
    message = {"destinations": [{"phone": PHONE}], "channels": [TELEGRAM, REQUIRED]}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    assert [step.get("required") for step in answer["messages"][0]["plan"]] == [None, True]

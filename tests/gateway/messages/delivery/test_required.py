"""A required step goes out whatever becomes of the others; those go on as they would without it."""

from typing import Any

from tests.support.client import PHONE, Player
from tests.support.workload import one, seated, texts, tried

TELEGRAM = {"channel": "telegram", "text": "Hi"}
VIBER = {"channel": "viber", "text": "Hi"}
SMS = {"channel": "sms", "text": "By law"}
REQUIRED = {**SMS, "required": True}


async def begun(town: Player, *channels: str) -> None:
    """The one person talks to us there."""
    for channel in channels:
        (known,) = await seated(town, channel, [{"phone": PHONE}])
        contact = (await town.post("/api/v1/contacts", {"phone": PHONE}))[1]
        await town.town.runtime.db["sessions"].update_one(
            {"_id": known["chatSessionId"]}, {"$set": {"contact": contact["id"]}}
        )


def sorted_tries(story: Any) -> list[tuple[str, str]]:
    return sorted(tried(story))


async def test_both_arrive_and_each_once(town: Player) -> None:
    await begun(town, "telegram")
    key = await one(town, TELEGRAM, REQUIRED)
    story = await town.ended(key, "DELIVERED")
    assert sorted_tries(story) == [("sms", "DELIVERED"), ("telegram", "SENT")]
    assert (texts(town, "telegram"), texts(town, "sms")) == (["Hi"], ["By law"])


async def test_the_others_go_on_as_before(town: Player) -> None:
    """The first rung is refused, so the second is tried; the third is not needed."""
    await begun(town, "telegram", "viber", "vk")
    town.town.simulators["telegram"].faults.fail("403")
    key = await one(town, TELEGRAM, REQUIRED, VIBER, {"channel": "vk", "text": "Hi"})
    await town.decided(key, "sms: delivered")
    story = await town.ended(key, "READ")
    assert sorted_tries(story) == [("sms", "DELIVERED"), ("telegram", "UNDELIVERED"), ("viber", "READ")]
    assert (texts(town, "sms"), texts(town, "vk"), len(texts(town, "viber"))) == (["By law"], [], 1)


async def test_it_is_no_fallback_of_the_others(town: Player) -> None:
    """It has arrived, and the others are tried all the same, to their end."""
    town.town.simulators["telegram"].faults.fail("403")
    await begun(town, "telegram")
    key = await one(town, REQUIRED, TELEGRAM)
    await town.attempted(key, "telegram", "UNDELIVERED")
    story = await town.ended(key, "DELIVERED")
    assert sorted_tries(story) == [("sms", "DELIVERED"), ("telegram", "UNDELIVERED")]


async def test_without_an_address_it_is_passed_over(town: Player) -> None:
    (known,) = await seated(town, "telegram", [{"phone": PHONE}])
    key = await town.send(TELEGRAM, REQUIRED, chatSessionId=known["chatSessionId"])
    story = await town.ended(key, "SENT")
    assert sorted_tries(story) == [("sms", "SKIPPED"), ("telegram", "SENT")]
    assert "sms: no phone number is known" in [attempt["reason"] for attempt in story["attempts"]]


async def test_if_it_fails_the_rest_decides_the_status(town: Player) -> None:
    await begun(town, "telegram")
    town.town.simulators["sms"].faults.fail(21614)
    key = await one(town, TELEGRAM, REQUIRED)
    await town.attempted(key, "sms", "UNDELIVERED")
    story = await town.ended(key, "SENT", "UNDELIVERED")
    assert story["status"] == "SENT"
    assert sorted_tries(story) == [("sms", "UNDELIVERED"), ("telegram", "SENT")]


async def test_the_answer_says_that_it_is_required(town: Player) -> None:
    message = {"destinations": [{"phone": PHONE}], "channels": [TELEGRAM, REQUIRED]}
    _, answer = await town.post("/api/v1/messages", {"messages": [message]})
    assert [step.get("required") for step in answer["messages"][0]["plan"]] == [None, True]

"""Opt-outs: said by a word, a provider or the business; checked before each attempt; across a person's channels."""

from datetime import timedelta
from typing import Any

import pytest

from bots.optout_keywords import GOODBYE
from tests.support.client import PHONE, Player
from tests.support.workload import accepted, later, one, phones, words

SMS = {"channel": "sms", "text": "Sale!"}
ADS = {"category": "marketing"}


async def talked(town: Player) -> None:
    """The person is in Telegram, and we know that it is them."""
    contact = (await town.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await town.say("telegram", f"/start {contact['startCode']}")


async def opt_outs(town: Player, **asked: str) -> list[Any]:
    async with town.http.get("/api/v1/optOuts", params=asked) as response:
        assert response.status == 200, await response.text()
        return list((await response.json())["optOuts"])


async def ended(town: Player, *channels: dict[str, Any], **fields: Any) -> Any:
    key = await one(town, *channels, **fields)
    return await town.ended(key, "DELIVERED", "UNDELIVERED")


@pytest.mark.parametrize(("word", "answer"), [("/stop", "en"), ("Отписаться!", "ru"), ("abmelden", "de")])
async def test_a_word_ends_marketing_in_every_channel_and_is_answered(town: Player, word: str, answer: str) -> None:
    await talked(town)
    assert (await town.say("telegram", word)).text == GOODBYE[answer]
    story = await ended(town, {"channel": "telegram", "text": "Sale!"}, SMS, **ADS)
    assert story["status"] == "UNDELIVERED"
    assert [attempt["status"] for attempt in story["attempts"]] == ["SKIPPED", "SKIPPED"]
    assert words(story).count("the person has opted out of marketing on 20") == 2
    assert (await ended(town, SMS))["status"] == "DELIVERED"
    assert (await ended(town, SMS, **ADS, priority="urgent"))["status"] == "UNDELIVERED"
    (said,) = [one for one in await opt_outs(town, phone=PHONE) if one["person"] == f"phone:{PHONE}"]
    assert said["log"][0]["by"] == f"word in telegram: {word}"


async def test_start_brings_it_back_but_not_what_the_business_was_told(town: Player) -> None:
    await talked(town)
    await town.say("telegram", "стоп")
    await town.say("telegram", "подписаться")
    assert (await ended(town, SMS, **ADS))["status"] == "DELIVERED"
    await town.post("/api/v1/optOuts", {"phone": PHONE, "reason": "by telephone"})
    later(town, hours=1)
    await town.say("telegram", "/start")
    assert (await ended(town, SMS, **ADS))["status"] == "UNDELIVERED"
    log = next(one["log"] for one in await opt_outs(town, phone=PHONE) if one["person"] == f"phone:{PHONE}")
    assert [(line["said"], line["by"].partition(":")[0]) for line in log] == [
        ("out", "word in telegram"),
        ("back", "word in telegram"),
        ("out", "API key demo"),
    ]


async def test_of_everything_but_an_answer_to_their_own_message(town: Player) -> None:
    await talked(town)
    status, answer = await town.post("/api/v1/optOuts", {"phone": "8 900 000 00 01", "kind": "all"})
    assert status == 200
    assert all(one["holds"] for one in answer["optOuts"])
    story = await ended(town, SMS)
    assert "sms: the person has opted out on 20" in words(story)
    assert "I did not understand" in (await town.say("telegram", "hello?")).text
    async with town.http.delete("/api/v1/optOuts", json={"phone": PHONE}) as response:
        assert not any(one["holds"] for one in (await response.json())["optOuts"])
    assert (await ended(town, SMS))["status"] == "DELIVERED"


async def test_it_is_checked_before_each_attempt(town: Player) -> None:
    """A message that waits for its hour finds the opt-out that was said meanwhile."""
    now = town.town.runtime.clock()
    key = await one(town, SMS, **ADS, sendAt=(now + timedelta(hours=1)).isoformat())
    await town.post("/api/v1/optOuts", {"phone": PHONE})
    later(town, hours=2)
    await town.ended(key, "UNDELIVERED")


async def test_others_hear_from_us_all_the_same(town: Player) -> None:
    await town.post("/api/v1/optOuts", {"phone": PHONE, "kind": "all"})
    (key,) = await accepted(town, phones(1), SMS, **ADS)
    await town.ended(key, "DELIVERED")


async def test_it_holds_in_a_conversation_that_we_began(town: Player) -> None:
    """The caller names the conversation, the opt-out the number."""
    _, begun = await town.post("/api/v1/sessions", {"channel": "sms", "phone": PHONE})
    await town.post("/api/v1/optOuts", {"phone": PHONE, "kind": "all"})
    path = f"/api/v1/sessions/{begun['session']['id']}/messages"
    status, answer = await town.post(path, {"text": "Hello?"})
    assert (status, "opted out" in answer["error"]) == (409, True)


async def test_the_list(town: Player) -> None:
    for person in phones(5):
        await town.post("/api/v1/optOuts", person)
        later(town, minutes=1)
    first = await opt_outs(town, limit="3")
    assert [one["person"] for one in first] == [f"phone:{phones(5)[number]['phone']}" for number in (4, 3, 2)]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, ""),
        ({"phone": "x"}, "phone"),
        ({"contactId": "nobody"}, "contactId"),
        ({"externalId": "nobody"}, "externalId"),
        ({"chatSessionId": "nobody"}, "chatSessionId"),
        ({"phone": PHONE, "kind": "some"}, "kind"),
    ],
)
async def test_mistakes(town: Player, asked: dict[str, str], field: str) -> None:
    status, answer = await town.post("/api/v1/optOuts", asked)
    assert (status, answer["details"]["field"]) == (400, field)


async def test_validate_says_it_too(town: Player) -> None:
    await town.post("/api/v1/optOuts", {"phone": PHONE})
    message = {"destinations": [{"phone": PHONE}], "channels": [SMS], "category": "marketing"}
    _, answer = await town.post("/api/v1/messages/validate", {"messages": [message]})
    assert "opted out of marketing" in answer["messages"][0]["plan"][0]["explanation"]

"""Tests opt-outs by keyword, provider and API, which are checked before each attempt on all of a person's channels."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.commands.keywords import GOODBYE
from tests.support.client import PHONE, ApiClient
from tests.support.workload import advance_clock, attempt_statuses, decisions_text, phones, send_all, send_one, texts

SMS = {"channel": "sms", "text": "Sale!"}
ADS = {"category": "marketing"}


async def open_telegram_chat(demo: ApiClient) -> None:
    """Join the person's Telegram chat to the contact of PHONE."""
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")


async def opt_outs(demo: ApiClient, **query: str) -> list[Any]:
    async with demo.http.get("/api/v1/optOuts", params=query) as response:
        assert response.status == 200, await response.text()
        return list((await response.json())["optOuts"])


async def send_and_wait(demo: ApiClient, *channels: dict[str, Any], **fields: Any) -> Any:
    key = await send_one(demo, *channels, **fields)
    return await demo.wait_for(key, "DELIVERED", "UNDELIVERED")


@pytest.mark.parametrize(("word", "answer"), [("/stop", "en"), ("Отписаться!", "ru"), ("abmelden", "de")])
async def test_a_word_ends_marketing_in_every_channel_and_is_answered(demo: ApiClient, word: str, answer: str) -> None:
    await open_telegram_chat(demo)
    assert (await demo.say("telegram", word)).text == GOODBYE[answer]
    story = await send_and_wait(demo, {"channel": "telegram", "text": "Sale!"}, SMS, **ADS)
    assert story["status"] == "UNDELIVERED"
    assert [attempt["status"] for attempt in story["attempts"]] == ["SKIPPED", "SKIPPED"]
    assert decisions_text(story).count("the person has opted out of marketing on 20") == 2
    assert (await send_and_wait(demo, SMS))["status"] == "DELIVERED"
    assert (await send_and_wait(demo, SMS, **ADS, priority="urgent"))["status"] == "UNDELIVERED"
    (opt_out,) = [entry for entry in await opt_outs(demo, phone=PHONE) if entry["person"] == f"phone:{PHONE}"]
    assert opt_out["log"][0]["by"] == f"word in telegram: {word}"


async def test_start_brings_it_back_but_not_what_the_business_was_told(demo: ApiClient) -> None:
    await open_telegram_chat(demo)
    await demo.say("telegram", "стоп")
    await demo.say("telegram", "подписаться")
    assert (await send_and_wait(demo, SMS, **ADS))["status"] == "DELIVERED"
    await demo.post("/api/v1/optOuts", {"phone": PHONE, "reason": "by telephone"})
    advance_clock(demo, hours=1)
    await demo.say("telegram", "/start")
    assert (await send_and_wait(demo, SMS, **ADS))["status"] == "UNDELIVERED"
    log = next(opt_out["log"] for opt_out in await opt_outs(demo, phone=PHONE) if opt_out["person"] == f"phone:{PHONE}")
    assert [(line["said"], line["by"].partition(":")[0]) for line in log] == [
        ("out", "word in telegram"),
        ("back", "word in telegram"),
        ("out", "API key demo"),
    ]


async def test_of_everything_but_an_answer_to_their_own_message(demo: ApiClient) -> None:
    await open_telegram_chat(demo)
    status, answer = await demo.post("/api/v1/optOuts", {"phone": "8 900 000 00 01", "kind": "all"})
    assert status == 200
    assert all(opt_out["holds"] for opt_out in answer["optOuts"])
    story = await send_and_wait(demo, SMS)
    assert "sms: the person has opted out on 20" in decisions_text(story)
    assert "I did not understand" in (await demo.say("telegram", "hello?")).text
    async with demo.http.delete("/api/v1/optOuts", json={"phone": PHONE}) as response:
        assert not any(opt_out["holds"] for opt_out in (await response.json())["optOuts"])
    assert (await send_and_wait(demo, SMS))["status"] == "DELIVERED"


async def test_it_is_checked_before_each_attempt(demo: ApiClient) -> None:
    """A message that waits for its hour is stopped by an opt-out that came meanwhile."""
    now = demo.environment.runtime.clock()
    key = await send_one(demo, SMS, **ADS, sendAt=(now + timedelta(hours=1)).isoformat())
    await demo.post("/api/v1/optOuts", {"phone": PHONE})
    advance_clock(demo, hours=2)
    story = await demo.wait_for(key, "UNDELIVERED")
    assert attempt_statuses(story) == [("sms", "SKIPPED")]
    assert "opted out" in story["attempts"][0]["reason"]
    assert texts(demo, "sms") == []


async def test_others_hear_from_us_all_the_same(demo: ApiClient) -> None:
    await demo.post("/api/v1/optOuts", {"phone": PHONE, "kind": "all"})
    (key,) = await send_all(demo, phones(1), SMS, **ADS)
    await demo.wait_for(key, "DELIVERED")


async def test_it_holds_in_a_conversation_that_we_began(demo: ApiClient) -> None:
    """The caller names the conversation, and the opt-out names the number."""
    _, session = await demo.post("/api/v1/sessions", {"channel": "sms", "phone": PHONE})
    await demo.post("/api/v1/optOuts", {"phone": PHONE, "kind": "all"})
    path = f"/api/v1/sessions/{session['session']['id']}/messages"
    status, answer = await demo.post(path, {"text": "Hello?"})
    assert (status, "opted out" in answer["error"]) == (409, True)


async def test_each_is_listed_once_by_whatever_name_the_person_is_called(demo: ApiClient) -> None:
    await open_telegram_chat(demo)
    await demo.say("telegram", "stop")
    by_number = await opt_outs(demo, phone=PHONE)
    (chat,) = [row["person"].removeprefix("session:") for row in by_number if row["person"].startswith("session:")]
    rows = await opt_outs(demo, chatSessionId=chat)
    assert sorted(row["person"] for row in rows) == sorted(row["person"] for row in by_number)
    assert len({(row["person"], row["kind"]) for row in rows}) == len(rows) == 3


async def test_what_a_number_said_that_did_not_stay_is_shown_and_lifted_with_the_person(demo: ApiClient) -> None:
    """Two contacts were merged, and one number chosen; the other still leads to the person."""
    lost = phones(1)[0]["phone"]
    await demo.post("/api/v1/optOuts", {"phone": lost})
    also = (await demo.post("/api/v1/contacts", {"phone": lost}))[1]
    anna = (await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"}))[1]
    body = {"contactId": also["id"], "phone": PHONE}
    assert (await demo.post(f"/api/v1/contacts/{anna['id']}/merge", body))[0] == 200
    shown = {row["person"]: row["holds"] for row in await opt_outs(demo, externalId="crm-17")}
    assert shown == {f"phone:{lost}": True, f"contact:{anna['id']}": True}
    async with demo.http.delete("/api/v1/optOuts", json={"externalId": "crm-17"}) as response:
        assert not any(row["holds"] for row in (await response.json())["optOuts"])
    for person in ({"phone": lost}, {"phone": PHONE}):
        (key,) = await send_all(demo, [person], SMS, **ADS)
        await demo.wait_for(key, "DELIVERED")


async def test_the_list(demo: ApiClient) -> None:
    for person in phones(5):
        await demo.post("/api/v1/optOuts", person)
        advance_clock(demo, minutes=1)
    first = await opt_outs(demo, limit="3")
    assert [opt_out["person"] for opt_out in first] == [f"phone:{phones(5)[number]['phone']}" for number in (4, 3, 2)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"phone": "x"}, "phone"),
        ({"contactId": "nobody"}, "contactId"),
        ({"externalId": "nobody"}, "externalId"),
        ({"chatSessionId": "nobody"}, "chatSessionId"),
        ({"phone": PHONE, "kind": "some"}, "kind"),
    ],
)
async def test_mistakes(demo: ApiClient, body: dict[str, str], field: str) -> None:
    status, answer = await demo.post("/api/v1/optOuts", body)
    assert (status, answer["details"]["field"]) == (400, field)


async def test_validate_says_it_too(demo: ApiClient) -> None:
    await demo.post("/api/v1/optOuts", {"phone": PHONE})
    message = {"destinations": [{"phone": PHONE}], "channels": [SMS], "category": "marketing"}
    _, answer = await demo.post("/api/v1/messages/validate", {"messages": [message]})
    assert "opted out of marketing" in answer["messages"][0]["plan"][0]["explanation"]

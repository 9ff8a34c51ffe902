"""Tests finding what went to one person: by whichever of their names it was sent, and whichever is asked for."""

import csv
import io
from typing import Any

import pytest

from tests.support.client import PHONE, ApiClient
from tests.support.workload import phone, send_all

STEP = {"channel": "sms", "text": "x" * 500}


@pytest.fixture
async def sent(demo: ApiClient) -> set[str]:
    """Send to one person by each of their names, as client, operator and bot, and once to another. Returns the ids."""
    _, contact = await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17", "email": "a@shop.ru"})
    await demo.say("telegram", f"/start {contact['startCode']}")
    async with demo.http.get("/api/v1/sessions") as response:
        (chat,) = (await response.json())["sessions"]
    _, reply = await demo.post(f"/api/v1/sessions/{chat['id']}/messages", {"text": "An operator says hi"})
    names: list[Any] = [
        {"phone": PHONE},
        {"externalId": "crm-17"},
        {"email": "a@shop.ru"},
        {"contactId": contact["id"]},
        {"chatSessionId": chat["id"]},
    ]
    ids = await send_all(demo, names, STEP)
    await send_all(demo, [{"phone": phone(5)}], STEP)
    bot = [document["_id"] async for document in demo.environment.runtime.db["notifications"].find({"priority": -1})]
    bot += [
        document["_id"]
        async for document in demo.environment.runtime.db["notifications"].find({"_id": {"$regex": "^reply:"}})
    ]
    return {*ids, reply["id"], *bot}


@pytest.mark.parametrize(
    "query", [{"phone": PHONE}, {"externalId": "crm-17"}, {"email": "a@shop.ru"}, {"identifier": f"phone:{PHONE}"}]
)
async def test_all_that_went_to_a_person_is_found_by_any_name(
    demo: ApiClient, sent: set[str], query: dict[str, str]
) -> None:
    assert len(sent) >= 7
    rows: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = {**query, "limit": "3", **({"cursor": cursor} if cursor else {})}
        async with demo.http.get("/api/v1/messages", params=page) as response:
            answer = await response.json()
        rows, cursor = rows + answer["messages"], answer["cursor"]
    assert {row["id"] for row in rows} == sent
    assert len(rows) == len(sent)
    for row in rows:
        assert set(row["identifiers"]) & {f"phone:{PHONE}", "externalId:crm-17", "email:a@shop.ru"}, row
    async with demo.http.get("/api/v1/messages/export", params=query) as response:
        exported = list(csv.DictReader(io.StringIO((await response.read()).decode("utf-8-sig"))))
    assert {row["id"] for row in exported} == sent
    assert all(row["identifiers"] for row in exported)


async def test_the_story_has_the_text_that_was_sent_and_a_list_its_beginning(demo: ApiClient) -> None:
    step = {"channel": "sms", "text": "{{name}}, " + "x" * 500}
    (key,) = await send_all(demo, [{"phone": PHONE, "variables": {"name": "Anna"}}], step)
    story = await demo.wait_for(key, "DELIVERED")
    assert story["attempts"][0]["text"] == "Anna, " + "x" * 500
    async with demo.http.get("/api/v1/messages") as response:
        (row,) = (await response.json())["messages"]
    assert row["text"] == ("Anna, " + "x" * 500)[:200]

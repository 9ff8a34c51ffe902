"""Tests POST /messages/validate, which explains what sending would do and stores and sends nothing."""

from typing import Any

import pytest

from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import accepted_messages, open_conversations, texts

ORDER = {"name": "order_update", "language": "en", "variables": {"name": "{{name}}", "order": "A-17"}}
STEPS: list[dict[str, Any]] = [
    {"channel": "telegram", "text": "Hi {{name}}"},
    {"channel": "whatsapp", "text": "Hi {{name}}", "template": ORDER},
    {"channel": "sms", "text": "{{name}}: " + "я" * 90},
]


async def validate(demo: ApiClient, *channels: dict[str, Any], **fields: Any) -> Any:
    recipient = {"phone": PHONE, "variables": {"name": "Anna"}, **fields.pop("to", {})}
    body = {"messages": [{"destinations": [recipient], "channels": list(channels), **fields}]}
    status, answer = await demo.post("/api/v1/messages/validate", body)
    assert status == 200
    return answer["messages"][0]


async def stored_documents(demo: ApiClient) -> list[Any]:
    db = demo.environment.runtime.db
    names = ("notifications", "requests", "contacts")
    return [[document async for document in db[name].find()] for name in names]


async def test_every_step_is_explained_and_nothing_comes_of_it(demo: ApiClient) -> None:
    before = await stored_documents(demo)
    item = await validate(demo, *STEPS, to={"externalId": "crm-17"})
    assert [step["explanation"] for step in item["plan"]] == [
        "telegram: the person has not started the bot",
        "whatsapp: the person has not written yet -> template order_update/en",
        "sms: no reply window on this channel -> free text; 2 parts",
    ]
    assert [step["parts"] for step in item["plan"]] == [1, 1, 2]
    assert item["plan"][2]["text"] == "Anna: " + "я" * 90
    assert item["channel"] == "whatsapp"
    assert await stored_documents(demo) == before
    assert accepted_messages(demo, "whatsapp") == []


async def test_it_says_what_then_happens(demo: ApiClient) -> None:
    item = await validate(demo, *STEPS)
    key = await demo.send(*STEPS, phone=PHONE, variables={"name": "Anna"})
    story = await demo.wait_for(key, "READ", "DELIVERED")
    assert story["decisions"][0]["text"] == item["plan"][0]["explanation"]
    assert story["decisions"][1]["text"] == item["plan"][1]["explanation"]
    assert story["attempts"][-1]["channel"] == item["channel"]


async def test_a_message_for_later_is_judged_at_its_time(demo: ApiClient) -> None:
    (anna,) = await open_conversations(demo, "whatsapp", [{"phone": PHONE}])
    step = {"channel": "whatsapp", "text": "Hi", "template": {**ORDER, "variables": {"name": "A", "order": "B"}}}
    now = await validate(demo, step, to=anna)
    assert "window open for" in now["plan"][0]["explanation"]
    demo.pass_time(25)
    sent_at = demo.environment.runtime.clock().isoformat()
    demo.pass_time(-25)
    later = await validate(demo, step, to=anna, sendAt=sent_at)
    assert later["status"] == "SCHEDULED"
    assert "template order_update/en" in later["plan"][0]["explanation"]


async def test_mistakes_are_those_of_sending(demo: ApiClient) -> None:
    item = await validate(demo, {"channel": "sms", "text": "{{nome}}"})
    assert item["error"]["field"] == "messages[0].channels[0].text"


async def test_sent_under_another_name(demo: ApiClient) -> None:
    """Channels that show a sender use the name; the others say that they show none."""
    item = await validate(demo, {"channel": "telegram", "text": "a", "from": "Shop"})
    assert any("`from` is not used" in warning for warning in item["warnings"])
    key = await demo.send({"channel": "sms", "text": "x" * 1700, "from": "Shop"})
    story = await demo.wait_for(key, "DELIVERED")
    assert story["attempts"][0]["partCount"] == 12
    assert len(texts(demo, "sms")) == 2

    async def traced_requests() -> list[str] | None:
        calls = (await demo.story(key))["attempts"][0]["calls"]
        return [call["request"]["body"] for call in calls] if len(calls) == 2 else None

    assert all("From=Shop" in request for request in await until(traced_requests))


async def test_a_sender_that_is_not_ours_is_that_messages_fault_alone(demo: ApiClient) -> None:
    key = await demo.send({"channel": "sms", "text": "a", "from": "Bank"})
    story = await demo.wait_for(key, "UNDELIVERED")
    assert "21606" in story["attempts"][0]["reason"]
    await demo.wait_for(await demo.send({"channel": "sms", "text": "a"}), "DELIVERED")


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/messages/validate"])
async def test_the_same_person_twice_in_a_message_is_warned_of_by_whatever_name(demo: ApiClient, path: str) -> None:
    """Both get it: they may differ in their values, and what was accepted stays accepted."""
    await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-1"})
    people = [{"phone": PHONE}, {"phone": "+79000000002"}, {"externalId": "crm-1"}, {"phone": "8 (900) 000-00-01"}]
    message = {"destinations": people, "channels": [{"channel": "sms", "text": "Hi"}]}
    _, answer = await demo.post(path, {"messages": [message]})
    warnings = [item.get("warnings", []) for item in answer["messages"]]
    same = ["destinations[0] is the same person: each of them gets a message"]
    assert warnings == [[], [], same, same]

"""Tests POST and GET /messages: refusals before anything is sent, and the message's view."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.client import PHONE, ApiClient

STEP: dict[str, Any] = {"channel": "sms", "text": "Hello, {{name}}"}
TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "{{name}}", "order": "A-17"}}


async def submit_step(demo: ApiClient, step: dict[str, Any], **destination: Any) -> Any:
    """Post a message of one step to one person called Anna. Returns the response's item."""
    recipient = destination or {"phone": PHONE}
    message = {"destinations": [{"variables": {"name": "Anna"}, **recipient}], "channels": [step]}
    status, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    assert status == 202
    return answer["messages"][0]


@pytest.mark.parametrize(
    ("step", "code", "field", "words"),
    [
        ({"channel": "pigeon", "text": "a"}, "unknown_channel", "channel", "there are: telegram, "),
        ({**STEP, "account": "other"}, "unknown_account", "account", "no such account"),
        ({"channel": "sms"}, "empty", "text", "a text, a media or a template"),
        ({**STEP, "intent": "news"}, "unknown_intent", "intent", "under the intents: none"),
        ({**STEP, "template": TEMPLATE}, "no_templates", "template", "no approved templates"),
        (
            {"channel": "whatsapp", "template": TEMPLATE, "buttons": [{"text": "Yes"}]},
            "empty",
            "buttons",
            "need a text",
        ),
        *[
            ({**STEP, "media": {"type": "image", "url": url}}, "bad_url", "media.url", "no web address")
            for url in (
                "http://a..b/x.png",
                "https://[::1/x.png",
                "http://.x/",
                f"http://{'a' * 64}.ru/",
                "http://a b/",
            )
        ],
        ({**STEP, "buttons": [{"text": "a", "url": "https://x:y/"}]}, "bad_url", "buttons[0].url", "no web address"),
        ({**STEP, "from": "A name that is too long"}, "bad_sender", "from", "no such sender"),
        ({**STEP, "fallbackAfter": "PT9S"}, "invalid", "fallbackAfter", "from 10 seconds"),
        ({**STEP, "fallbackAfter": "PT48H1S"}, "invalid", "fallbackAfter", "to 48 hours"),
        ({**STEP, "fallbackAfter": "-PT1H"}, "invalid", "fallbackAfter", "from 10 seconds"),
        ({**STEP, "success": "read"}, "no_receipts", "success", "does not report reading"),
        ({"channel": "telegram", "text": "a", "success": "read"}, "no_receipts", "success", "does not report reading"),
        ({**STEP, "text": "{{nome}}"}, "bad_text", "text", "'nome' is undefined; give it a value"),
        ({**STEP, "text": "{{"}, "bad_text", "text", "line 1"),
        ({**STEP, "text": "{% for a in b %}{% endfor %}"}, "bad_text", "text", "loops are not allowed"),
        ({**STEP, "text": "{{ ''|trim }}"}, "empty", "text", "empty once its variables are filled in"),
        ({**STEP, "text": " \n"}, "empty", "text", "empty once its variables are filled in"),
        ({**STEP, "buttons": [{"text": "{{nome}}"}]}, "bad_text", "buttons[0].text", "'nome' is undefined"),
        ({**STEP, "buttons": [{"text": "{{ ''|trim }}"}]}, "empty", "buttons[0].text", "empty"),
        (
            {"channel": "whatsapp", "template": {**TEMPLATE, "variables": {"order": "{{order}}"}}},
            "bad_text",
            "template.variables.order",
            "'order' is undefined",
        ),
        (
            {"channel": "whatsapp", "template": {**TEMPLATE, "variables": {"a.b\0$": "x"}}},
            "invalid",
            "template.variables.a.b\0$",
            "letters, digits",
        ),
    ],
)
async def test_refused_before_anything_is_sent(
    demo: ApiClient, step: dict[str, Any], code: str, field: str, words: str
) -> None:
    error = (await submit_step(demo, step))["error"]
    assert (error["code"], error["field"]) == (code, f"messages[0].channels[0].{field}")
    assert words in error["message"]
    assert [document async for document in demo.environment.runtime.db["notifications"].find()] == []


@pytest.mark.parametrize(
    ("destination", "code", "field"),
    [
        ({"variables": {}}, "no_recipient", ""),
        ({"phone": "hello"}, "bad_phone", ".phone"),
        ({"phone": "+7900000000"}, "bad_phone", ".phone"),
        ({"phone": "+" + "7" * 300}, "invalid", ".phone"),
        ({"contactId": "c1"}, "unknown_contact", ".contactId"),
        ({"chatSessionId": "s1"}, "unknown_session", ".chatSessionId"),
    ],
)
async def test_recipients_that_there_are_not(
    demo: ApiClient, destination: dict[str, Any], code: str, field: str
) -> None:
    error = (await submit_step(demo, STEP, **destination))["error"]
    assert (error["code"], error["field"]) == (code, f"messages[0].destinations[0]{field}")


@pytest.mark.parametrize("phone", ["+79000000001", "89000000001", "+7 (900) 000-00-01", "8 900 000 00 01"])
async def test_phones_as_people_write_them(demo: ApiClient, phone: str) -> None:
    item = await submit_step(demo, STEP, phone=phone)
    await demo.wait_for(item["id"], "DELIVERED")
    assert [line.user for line in demo.environment.simulators["sms"].accepted] == [PHONE]


async def test_one_missing_variable_is_one_recipients_error(demo: ApiClient) -> None:
    destinations = [{"phone": PHONE, "variables": {"name": "Anna"}}, {"phone": "+79000000002"}]
    body = {"messages": [{"destinations": destinations, "channels": [STEP]}]}
    _, answer = await demo.post("/api/v1/messages", body)
    anna, nobody = answer["messages"]
    assert nobody["error"]["message"] == "'name' is undefined; give it a value"
    await demo.wait_for(anna["id"], "DELIVERED")
    assert [line.text for line in demo.environment.simulators["sms"].accepted] == ["Hello, Anna"]


async def test_a_file_needs_no_caption(demo: ApiClient) -> None:
    media = {"type": "image", "url": "https://shop.ru/a.png"}
    for step in ({"channel": "sms", "media": media}, {"channel": "sms", "media": media, "text": "{{ ''|trim }}"}):
        await demo.wait_for((await submit_step(demo, step))["id"], "DELIVERED")
    assert [line.text for line in demo.environment.simulators["sms"].accepted] == ["https://shop.ru/a.png"] * 2


async def test_what_a_channel_cannot_report_is_not_waited_for(demo: ApiClient) -> None:
    """Otherwise everyone in Telegram would get an SMS too."""
    telegram = {"channel": "telegram", "text": "Hello", "success": "delivered"}
    item = await submit_step(demo, telegram)
    assert item["plan"][0]["success"] == "sent"
    assert item["warnings"] == ["channels[0]: telegram reports no more than sent, so that is what counts as success"]
    assert "warnings" not in await submit_step(demo, {**telegram, "success": "sent"})
    assert "warnings" not in await submit_step(demo, {"channel": "whatsapp", "text": "a", "success": "read"})


async def test_the_answer(demo: ApiClient) -> None:
    step = {**STEP, "fallbackAfter": "PT1H"}
    message = {"destinations": [{"phone": PHONE, "variables": {"name": "A"}}], "channels": [step], "groupId": "g1"}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message], "bulkId": "b1"})
    (item,) = answer["messages"]
    assert answer["bulkId"] == "b1"
    assert item == {
        "id": item["id"],
        "sendAt": item["sendAt"],
        "timezone": None,
        "groupId": "g1",
        "bulkId": "b1",
        "status": "NEW",
        "plan": [{"channel": "sms", "account": "demo", "success": "delivered", "fallbackAfter": "PT3600S", "parts": 1}],
    }


async def test_the_story(demo: ApiClient) -> None:
    message = {"destinations": [{"phone": PHONE}], "channels": [{"channel": "sms", "text": "Hello"}]}
    fields = {"validityPeriod": 60, "callbackData": "mine", "groupId": "g1"}
    _, answer = await demo.post("/api/v1/messages", {"messages": [{**message, **fields}], "bulkId": "b1"})
    story = await demo.wait_for(answer["messages"][0]["id"], "DELIVERED")
    created_at, expires_at = [datetime.fromisoformat(story[name]) for name in ("createdAt", "expiresAt")]
    assert expires_at - created_at == timedelta(hours=1)
    assert story["createdAt"].endswith("Z")
    assert {name: story[name] for name in ("groupId", "bulkId", "callbackData", "status", "nextAt")} == {
        "groupId": "g1",
        "bulkId": "b1",
        "callbackData": "mine",
        "status": "DELIVERED",
        "nextAt": None,
    }
    (attempt,) = story["attempts"]
    (accepted_message,) = demo.environment.simulators["sms"].accepted
    assert (attempt["channel"], attempt["account"], attempt["address"]) == ("sms", "demo", PHONE)
    assert (attempt["status"], attempt["reason"], attempt["partCount"]) == ("DELIVERED", None, 1)
    assert attempt["providerIds"] == [accepted_message.id]
    assert story["decisions"][0]["text"] == "sms: no reply window on this channel -> free text"


@pytest.mark.parametrize("key", ["nothing", "a/b", "%00", "%ff%fe", "..%2F..", "%7B%22$ne%22:1%7D", "ключ"])
async def test_there_is_no_such_message(demo: ApiClient, key: str) -> None:
    async with demo.http.get(f"/api/v1/messages/{key}") as response:
        body = await response.json()
    assert (response.status, body["error"]) == (404, "There is no such message.")

"""Manners: small things that users of an API expect."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from gateway.domain.api.roles import Role
from gateway.domain.model.notification import Status
from storage.access import keys
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import opened_callback_receiver
from tests.support.http.stranger import Stranger

STEP = {"channel": "sms", "text": "Hi"}


async def get(demo: ApiClient, path: str, **query: str) -> tuple[int, Any]:
    async with demo.http.get(path, params=query) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("field", "allowed"), [("priority", "bulk, normal, urgent"), ("ambiguous", "atLeastOnce, atMostOnce")]
)
async def test_a_word_that_is_none_of_a_choice_is_told_which_there_are(
    demo: ApiClient, field: str, allowed: str
) -> None:
    message = {"destinations": [{"phone": PHONE}], "channels": [STEP], field: "soon"}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    error = answer["messages"][0]["error"]
    assert error["field"] == f"messages[0].{field}"
    assert sorted(error["message"].rpartition("one of ")[2].split(", ")) == allowed.split(", ")


async def test_a_choice_inside_of_a_list_too(demo: ApiClient) -> None:
    message = {"destinations": [{"phone": PHONE}], "channels": [{**STEP, "success": "opened"}]}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    words = answer["messages"][0]["error"]["message"]
    assert all(word in words for word in ("sent", "delivered", "read"))


async def test_the_root_leads_to_the_page(demo: ApiClient) -> None:
    reply = await Stranger(demo.environment.url).ask("GET", "/")
    assert (reply.status, reply.headers["location"]) == (302, "/docs")


async def test_what_is_to_be_cancelled_may_stand_in_the_query(demo: ApiClient) -> None:
    tomorrow = (demo.environment.runtime.clock() + timedelta(days=1)).isoformat()
    message = {"destinations": [{"phone": PHONE}], "channels": [STEP], "sendAt": tomorrow, "groupId": "g1"}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    async with demo.http.delete("/api/v1/messages", params={"groupId": "g1"}) as response:
        (outcome,) = (await response.json())["messages"]
    assert outcome == {"id": answer["messages"][0]["id"], "result": "cancelled", "reason": None}


async def test_a_day_is_all_of_it_and_statuses_may_be_several(demo: ApiClient) -> None:
    key = await demo.send(STEP, phone=PHONE)
    await demo.wait_for(key, "DELIVERED")
    today = demo.environment.runtime.clock().date()
    yesterday = today - timedelta(days=1)

    async def found(**query: str) -> list[str]:
        status, answer = await get(demo, "/api/v1/messages", **query)
        assert status == 200, answer
        return [row["id"] for row in answer["messages"]]

    assert await found(**{"from": str(today), "to": str(today)}) == [key]
    assert await found(**{"from": str(yesterday), "to": str(yesterday)}) == []
    assert await found(status="DELIVERED,READ") == [key]
    assert await found(status="EXPIRED,ERROR") == []
    status, refusal = await get(demo, "/api/v1/messages", status="DELIVERED,GONE")
    assert (status, refusal["details"]["field"]) == (400, "status")
    assert all(word in refusal["error"] for word in Status)


FILTERS = [
    *(
        (path, "channel", text, "there is no such channel; there are: ")
        for path in ("messages", "messages/export", "sessions")
        for text in ("fax", "sms,telegram", "SMS")
    ),
    ("messages", "from", "2026-02-30", "there is no such day"),
    ("messages", "from", "02/30/2026", "there is no such day"),
    ("messages", "to", "9999-12-31", "the calendar ends with this day"),
    ("messages", "to", "0001-01-01T00:00:00+03:00", "there is no such moment"),
    ("messages/export", "to", "2026-02-30T10:00:00Z", "there is no such moment"),
    ("messages", "from", "2026-02-20T10:00:00", "a time is written with its zone"),
]


async def test_a_filter_that_can_find_nothing_is_refused_in_words(demo: ApiClient) -> None:
    for path, name, text, words in FILTERS:
        status, refusal = await get(demo, f"/api/v1/{path}", **{name: text})
        assert (status, refusal["details"]["field"]) == (400, name), (path, text)
        assert refusal["error"].startswith(words)


async def test_a_key_is_not_used_before_it_was_created(demo: ApiClient) -> None:
    db, now = demo.environment.runtime.db, demo.environment.runtime.clock().replace(minute=30)
    secret = await keys.create_key(db, "shop", now, Role.SENDER)
    await keys.find_key(db, secret, now + timedelta(minutes=1))
    used = await keys.find_key(db, secret, now + timedelta(minutes=1))
    assert used
    assert used.used_at == used.created_at


async def test_a_chat_that_the_person_has_to_begin_is_a_conflict(demo: ApiClient) -> None:
    status, refusal = await demo.post("/api/v1/sessions", {"channel": "telegram", "phone": "+79990001122"})
    assert status == 409, refusal
    assert "start link" in refusal["error"]


async def test_the_answer_says_delayed_and_until_when(demo: ApiClient) -> None:
    now = demo.environment.runtime.clock()
    hours = [[f"{now + timedelta(hours=2):%H}:00:00", f"{now + timedelta(hours=3):%H}:00:00"]]
    message = {"destinations": [{"phone": PHONE}], "channels": [STEP], "allowedTimeRanges": hours}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    (item,) = answer["messages"]
    assert item["status"] == "DELAYED"
    assert f"{datetime.fromisoformat(item['sendAt']):%H:%M:%S}" == hours[0][0]
    story = await demo.wait_for(item["id"], "DELAYED")
    assert story["nextAt"] == item["sendAt"]


async def test_a_callback_says_who_calls(demo: ApiClient) -> None:
    async with opened_callback_receiver() as receiver:
        message = {"destinations": [{"phone": PHONE}], "channels": [STEP], "callbackUrl": receiver.url}
        await demo.post("/api/v1/messages", {"messages": [message]})

        async def called() -> bool:
            return bool(receiver.calls)

        await until(called)
    assert receiver.calls[0][0]["User-Agent"].startswith("messenger-gateway/")

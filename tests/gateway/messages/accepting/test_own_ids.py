"""Tests callers' own ids: the same message under an id is sent once, another one is refused."""

import asyncio
from typing import Any

from tests.support.client import PHONE, ApiClient
from tests.support.workload import texts


async def send(demo: ApiClient, key: str, text: str = "Hi", **fields: Any) -> Any:
    message = {"id": key, "destinations": [{"phone": PHONE}], "channels": [{"channel": "sms", "text": text}], **fields}
    status, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    assert status == 202
    return answer["messages"][0]


async def test_it_is_known_under_it(demo: ApiClient) -> None:
    assert (await send(demo, "order-17"))["id"] == "order-17"
    await demo.wait_for("order-17", "DELIVERED")


async def test_again_it_is_sent_once(demo: ApiClient) -> None:
    await send(demo, "order-17")
    await demo.wait_for("order-17", "DELIVERED")
    second = await send(demo, "order-17")
    assert (second["id"], second["status"]) == ("order-17", "DELIVERED")
    await send(demo, "order-18")
    await demo.wait_for("order-18", "DELIVERED")
    assert texts(demo, "sms") == ["Hi", "Hi"]


async def test_another_message_under_it_is_refused(demo: ApiClient) -> None:
    await send(demo, "order-17")
    for item in (await send(demo, "order-17", "Other"), await send(demo, "order-17", groupId="g")):
        assert (item["error"]["code"], item["error"]["field"]) == ("id_taken", "messages[0].id")


async def test_two_at_the_same_moment(demo: ApiClient) -> None:
    """One message is sent, and both callers get its id."""
    items = await asyncio.gather(*(send(demo, "order-17", text) for text in ("a", "b")))
    (code,) = [item["error"]["code"] for item in items if "error" in item]
    assert code == "id_taken"
    await demo.wait_for("order-17", "DELIVERED")
    assert len(texts(demo, "sms")) == 1


async def test_several_destinations_are_numbered(demo: ApiClient) -> None:
    message = {"id": "m", "destinations": [{"phone": PHONE}] * 2, "channels": [{"channel": "sms", "text": "a"}]}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    assert [item["id"] for item in answer["messages"]] == ["m:0", "m:1"]


async def test_one_and_several_under_the_same_id_are_two_messages(demo: ApiClient) -> None:
    people, steps = [{"phone": PHONE}] * 2, [{"channel": "sms", "text": "Hi"}]
    several = {"messages": [{"id": "m", "destinations": people, "channels": steps}]}
    await send(demo, "m")
    _, response = await demo.post("/api/v1/messages", several)
    assert {item["error"]["code"] for item in response["messages"]} == {"id_taken"}
    several["messages"][0]["id"] = "n"
    await demo.post("/api/v1/messages", several)
    assert (await send(demo, "n"))["error"]["code"] == "id_taken"


async def test_all_of_an_id_are_cancelled_by_it(demo: ApiClient) -> None:
    people, steps = [{"phone": PHONE}] * 2, [{"channel": "sms", "text": "Hi"}]
    message = {"id": "m", "destinations": people, "channels": steps, "sendAt": "2027-01-01T10:00:00Z"}
    await demo.post("/api/v1/messages", {"messages": [message]})
    async with demo.http.delete("/api/v1/messages", json={"id": "m"}) as response:
        outcomes = (await response.json())["messages"]
    assert [(outcome["id"], outcome["result"]) for outcome in outcomes] == [("m:0", "cancelled"), ("m:1", "cancelled")]


async def test_what_is_no_id(demo: ApiClient) -> None:
    for key in ("", "a b", "reply:1", "a/b", "я", "a" * 65, "a\n", "export"):
        item = await send(demo, key)
        assert item["error"]["field"] == "messages[0].id", key

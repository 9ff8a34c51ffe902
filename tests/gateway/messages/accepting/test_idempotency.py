"""Tests Idempotency-Key: a request that is repeated for want of an answer sends each message once."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from pymongo.errors import AutoReconnect

from gateway.domain.api.roles import Role
from gateway.messages.accepting.submit import submit
from gateway.messages.delivery import recording
from gateway.runtime.runtime import Clock, opened
from gateway.runtime.settings.settings import Settings
from storage.access import keys
from storage.messages import notifications
from tests.support.client import PHONE, ApiClient
from webhooks.demo.environment import opened_simulators


def body(text: str = "Hello", count: int = 1, **destination: Any) -> dict[str, Any]:
    recipient = destination or {"phone": PHONE}
    return {"messages": [{"destinations": [recipient], "channels": [{"channel": "sms", "text": text}]}] * count}


async def send(demo: ApiClient, message: Any, key: str) -> tuple[int, Any]:
    return await demo.post("/api/v1/messages", message, **{"Idempotency-Key": key})


def texts(demo: ApiClient) -> list[str]:
    """Return the sorted texts that the SMS provider accepted."""
    return sorted(line.text for line in demo.environment.simulators["sms"].accepted)


async def wait_until_delivered(demo: ApiClient, *answers: Any) -> None:
    for answer in answers:
        for item in answer["messages"]:
            await demo.wait_for(item["id"], "DELIVERED")


async def test_the_same_request_again(demo: ApiClient) -> None:
    first = await send(demo, body(count=2), "order-17")
    await wait_until_delivered(demo, first[1])
    assert await send(demo, body(count=2), "order-17") == first
    await wait_until_delivered(demo, first[1])
    assert first[0] == 202
    assert len({item["id"] for item in first[1]["messages"]}) == 2
    assert texts(demo) == ["Hello", "Hello"]


async def test_ten_at_the_same_moment(demo: ApiClient) -> None:
    answers = await asyncio.gather(*(send(demo, body(), "order-17") for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    await wait_until_delivered(demo, answers[0][1])
    # A send that came twice would be on its way by now: let the worker finish everything that is due.
    await wait_until_delivered(demo, (await send(demo, body("last"), "order-18"))[1])
    assert texts(demo) == ["Hello", "last"]


async def test_without_a_key_each_request_is_another(demo: ApiClient) -> None:
    answers = [(await demo.post("/api/v1/messages", body()))[1] for _ in range(2)]
    await wait_until_delivered(demo, *answers)
    assert texts(demo) == ["Hello", "Hello"]


async def test_another_body_under_the_same_key(demo: ApiClient) -> None:
    _, answer = await send(demo, body("one"), "order-17")
    status, refusal = await send(demo, body("two"), "order-17")
    assert (status, refusal["details"]) == (409, {"field": "Idempotency-Key"})
    await wait_until_delivered(demo, answer)
    assert texts(demo) == ["one"]


async def test_two_callers_may_choose_the_same_key(demo: ApiClient) -> None:
    """The callers' names make no difference: "a" with the key "b:c" is not "a:b" with the key "c"."""
    runtime = demo.environment.runtime
    answers = []
    for caller, key in (("shop", "k"), ("office", "k"), ("a", "b:c"), ("a:b", "c")):
        secret = await keys.create_key(runtime.db, caller, runtime.clock(), Role.SENDER)
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}
        async with demo.http.post("/api/v1/messages", json=body(caller), headers=headers) as response:
            assert response.status == 202
            answers.append(await response.json())
    await wait_until_delivered(demo, *answers)
    assert texts(demo) == ["a", "a:b", "office", "shop"]


async def test_a_mistake_is_remembered_too(demo: ApiClient) -> None:
    """A refused message must not go out at a repetition after things have changed: the caller would not know."""
    _, refusal = await send(demo, body(contactId="c1"), "order-17")
    assert refusal["messages"][0]["error"]["code"] == "unknown_contact"
    await demo.environment.runtime.db["contacts"].insert_one(
        {"_id": "c1", "start_code": "s1", "created_at": demo.environment.runtime.clock(), "phone": PHONE}
    )
    assert (await send(demo, body(contactId="c1"), "order-17"))[1] == refusal
    await wait_until_delivered(demo, (await send(demo, body("last"), "order-18"))[1])
    assert texts(demo) == ["last"]


async def test_a_forgotten_key_is_free_again(demo: ApiClient) -> None:
    """Keys are remembered for a day. After that, another body under an old key is accepted and goes out."""
    _, first = await send(demo, body("monday"), "daily")
    await wait_until_delivered(demo, first)
    await demo.environment.runtime.db["requests"].delete_many({})
    _, second = await send(demo, body("tuesday"), "daily")
    assert second["messages"][0]["id"] != first["messages"][0]["id"]
    await wait_until_delivered(demo, second)
    assert texts(demo) == ["monday", "tuesday"]


async def test_what_was_stored_before_a_request_broke_off_counts_though_it_would_be_refused_now(
    demo: ApiClient,
) -> None:
    db, now = demo.environment.runtime.db, demo.environment.runtime.clock()
    await db["contacts"].insert_one(
        {"_id": "c1", "start_code": "s1", "created_at": now, "identifiers": [f"phone:{PHONE}"], "version": 1}
    )
    _, answer = await send(demo, body(contactId="c1"), "order-17")
    await wait_until_delivered(demo, answer)
    await db["requests"].update_many({}, {"$unset": {"answer": ""}})
    await db["contacts"].delete_one({"_id": "c1"})
    _, again = await send(demo, body(contactId="c1"), "order-17")
    assert again["messages"][0]["id"] == answer["messages"][0]["id"]
    assert texts(demo) == ["Hello"]


async def test_a_request_that_broke_off_is_completed_by_its_repetition(settings: Settings) -> None:
    """The key is stored before the notifications, and a process may die in between."""
    clock, raw = Clock(), msgspec.json.encode(body())
    async with AsyncExitStack() as stack:
        _, accounts = await stack.enter_async_context(opened_simulators("http://127.0.0.1:9", clock))
        runtime = await stack.enter_async_context(opened(replace(settings, accounts=accounts), clock))
        answer = msgspec.json.decode(await submit(runtime, raw, "shop", "order-17"))
        await runtime.db["notifications"].delete_many({})
        await runtime.db["requests"].update_many({}, {"$unset": {"answer": ""}})
        second = await submit(runtime, raw, "shop", "order-17")
        ids = [item["id"] for item in answer["messages"]]
        assert [item["id"] for item in msgspec.json.decode(second)["messages"]] == ids
        assert await submit(runtime, raw, "shop", "order-17") == second
        assert await notifications.get(runtime.db, ids[0])


async def test_a_503_says_whether_something_may_have_been_accepted(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller who is told that nothing was accepted sends it again under another key, and people get it twice."""

    async def break_off(*_: object) -> None:
        raise AutoReconnect("gone")

    with monkeypatch.context() as broken:
        broken.setattr(recording, "add", break_off)
        status, refusal = await send(demo, body(), "order-17")
    assert (status, "may have been accepted" in refusal["error"]) == (503, True)
    assert "same Idempotency-Key" in refusal["details"]
    with monkeypatch.context() as broken:
        broken.setattr(keys, "find_key", break_off)
        status, refusal = await send(demo, body(), "order-17")
    assert (status, "nothing was accepted" in refusal["error"]) == (503, True)
    await wait_until_delivered(demo, (await send(demo, body(), "order-17"))[1])
    assert texts(demo) == ["Hello"]


@pytest.mark.parametrize(("length", "status"), [(1, 202), (256, 202), (257, 400)])
async def test_the_length_of_a_key(demo: ApiClient, length: int, status: int) -> None:
    assert (await send(demo, body(), "k" * length))[0] == status

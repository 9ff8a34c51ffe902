"""Bodies that cannot be read: the answer says what is wrong, with the path of the field."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest

from tests.support.client import PHONE, ApiClient

MIB = 1024 * 1024
STEP: dict[str, Any] = {"channel": "sms", "text": "Hello"}


def message(**fields: Any) -> dict[str, Any]:
    return {"destinations": [{"phone": PHONE}], "channels": [STEP], **fields}


def step(**fields: Any) -> dict[str, Any]:
    return message(channels=[STEP, {**STEP, **fields}])


WRONG: list[tuple[Any, str]] = [
    (5, ""),
    (None, ""),
    ({}, "destinations"),
    (message(destinations=[]), "destinations"),
    (message(destinations=[5]), "destinations[0]"),
    (message(destinations=[{"phone": 79000000001}]), "destinations[0].phone"),
    (message(destinations=[{"fone": PHONE}]), "destinations[0].fone"),
    (message(destinations=[{"variables": []}]), "destinations[0].variables"),
    (message(destinations=[{"variables": {"a": None}}]), "destinations[0].variables.a"),
    (message(channels=[]), "channels"),
    (message(channels=[STEP] * 11), "channels"),
    (message(validityPeriod=0), "validityPeriod"),
    (message(validityPeriod=2881), "validityPeriod"),
    (message(validityPeriod="1440"), "validityPeriod"),
    (message(callbackData="x" * 10_241), "callbackData"),
    (message(groupId=""), "groupId"),
    (message(validity_period=60), "validity_period"),
    (step(text=5), "channels[1].text"),
    (step(text="x" * 16_385), "channels[1].text"),
    (step(txet="Hello"), "channels[1].txet"),
    (step(success="opened"), "channels[1].success"),
    (step(fallbackAfter="soon"), "channels[1].fallbackAfter"),
    (step(fallbackAfter=1e300), "channels[1].fallbackAfter"),
    (step(buttons=[{}]), "channels[1].buttons[0].text"),
    (step(buttons=[{"text": ""}]), "channels[1].buttons[0].text"),
    (step(buttons=[{"text": "a", "url": "javascript:x"}]), "channels[1].buttons[0].url"),
    (step(buttons=[{"text": "a"}] * 11), "channels[1].buttons"),
    (step(media={"type": "image"}), "channels[1].media"),
    (step(media={"type": "gif", "url": "https://a.ru/b"}), "channels[1].media.type"),
    (step(media={"type": "image", "url": "file:///etc/passwd"}), "channels[1].media.url"),
    (step(template={"name": "order"}), "channels[1].template.language"),
]
"""Messages, and the path of the field that is wrong in each."""


async def post(demo: ApiClient, body: Any) -> tuple[int, Any]:
    async with demo.http.post("/api/v1/messages", data=body) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"hello", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"bulkId": "\xff"}', b'{"messages": ' + b"[" * 100_000],
)
async def test_not_json(demo: ApiClient, body: bytes) -> None:
    status, answer = await post(demo, body)
    assert status == 400
    assert answer["details"]["code"] == "not_json"
    assert "JSON" in answer["error"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"null", ""),
        (b"[]", ""),
        (b"{}", "messages"),
        (b'{"messages": {}}', "messages"),
        (b'{"messages": []}', "messages"),
        (b'{"messages": [{}], "bulkId": 5}', "bulkId"),
        (b'{"messages": [{}], "bulkId": ""}', "bulkId"),
        (b'{"messages": [{}], "bulk_id": "b1"}', "bulk_id"),
        (b'{"messages": [{}], "send-at": 1}', "send-at"),
        (b'{"messages": [{}], " - at `$.x`": 1}', " - at `$.x`"),
    ],
)
async def test_a_body_of_another_shape(demo: ApiClient, body: bytes, field: str) -> None:
    status, answer = await post(demo, body)
    assert (status, answer["details"]) == (400, {"code": "invalid", "field": field})


async def test_wrong_fields_are_named_and_their_neighbours_go_out(demo: ApiClient) -> None:
    wrong = [body for body, _ in WRONG]
    status, answer = await demo.post("/api/v1/messages", {"messages": [message(), *wrong, message()]})
    first, *errors, last = answer["messages"]
    expected = [f"messages[{number}].{field}".removesuffix(".") for number, (_, field) in enumerate(WRONG, 1)]
    assert [item["error"]["field"] for item in errors] == expected
    assert {item["error"]["code"] for item in errors} == {"invalid"}
    assert all(item["error"]["message"] for item in errors)
    assert status == 202
    for item in (first, last):
        await demo.wait_for(item["id"], "DELIVERED")
    assert len(demo.environment.simulators["sms"].accepted) == 2


async def test_a_wrong_message_is_each_of_its_destinations_error(demo: ApiClient) -> None:
    wrong = message(destinations=[{"phone": PHONE}] * 3, channels=[])
    status, answer = await demo.post("/api/v1/messages", {"messages": [wrong, message()]})
    assert status == 202
    assert ["error" in item for item in answer["messages"]] == [True, True, True, False]


async def test_an_answer_does_not_outgrow_its_request(demo: ApiClient) -> None:
    """A megabyte of wrong destinations is not worth a hundred megabytes of errors."""
    wrong = {"destinations": [0] * 200_000, "channels": []}
    status, answer = await demo.post("/api/v1/messages", {"messages": [wrong]})
    assert (status, len(answer["messages"])) == (202, 1)
    assert answer["messages"][0]["error"]["field"].startswith("messages[0].")
    many = {"destinations": [0] * 1000, "channels": []}
    status, answer = await demo.post("/api/v1/messages", {"messages": [many] * 300})
    assert (status, answer["details"]) == (400, {"code": "too_many", "field": "messages"})


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65536 + 1):
        yield b" " * 65536


@pytest.mark.parametrize("chunked", [False, True])
async def test_too_large(demo: ApiClient, chunked: bool) -> None:  # noqa: FBT001 - pytest's parameter
    body = chunks(MIB) if chunked else BytesIO(b" " * (MIB + 1))
    status, answer = await post(demo, body)
    assert status == 413
    assert set(answer) == {"error", "details"}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
async def test_json_under_any_content_type(demo: ApiClient, content_type: str) -> None:
    """`curl -d` says that it sends a form."""
    body = (
        b'{"messages": [{"destinations": [{"phone": "+79000000001"}], "channels": [{"channel": "sms", "text": "a"}]}]}'
    )
    async with demo.http.post("/api/v1/messages", data=body, headers={"Content-Type": content_type}) as response:
        assert response.status == 202

"""What callers make large has bounds: the largest is worked on beside everything else, and one more is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.messages.accepting.plans import MOST, MOST_OF_ONE
from gateway.messages.composing import language
from gateway.messages.composing.language import MAX_RESULT, MAX_TOKENS
from gateway.messages.composing.values import MOST as MOST_VALUES
from tests.support.client import ApiClient
from tests.support.hostile.stalls import BLOCKED, watched
from tests.support.http.stranger import Stranger

MIB = 1024 * 1024
MEMORY = 128 * MIB
"""By how much the process may become larger for one request; it holds the caller, too."""

PATHS = ("/api/v1/messages", "/api/v1/messages/validate")


def caller(demo: ApiClient) -> Stranger:
    return Stranger(demo.environment.url, {"Authorization": f"Bearer {demo.environment.key}"})


def request(destinations: list[dict[str, Any]], *texts: str, **fields: Any) -> bytes:
    """Return a request in which each text is a step to all destinations, by parts of at most 1,000 of them."""
    steps = [{"channel": "telegram", "text": text, "success": "delivered"} for text in texts]
    parts = (destinations[start : start + MOST_OF_ONE] for start in range(0, len(destinations), MOST_OF_ONE))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    messages = [{"destinations": part, "channels": steps, "sendAt": tomorrow, **fields} for part in parts]
    return json.dumps({"messages": messages}, separators=(",", ":")).encode()


def person(variables: dict[str, Any]) -> dict[str, Any]:
    return {"externalId": "1", "variables": variables}


def people(count: int, **variables: str) -> list[dict[str, Any]]:
    return [{"externalId": f"{number:x}", **({"variables": variables} if variables else {})} for number in range(count)]


ROOM = {"a": "x" * 100}
LARGEST = {"a": "x y" * (MAX_RESULT // 3)}

CASES = {
    "ten long steps to 30 people": request(people(30, **ROOM), *["{{a}}" * 99] * 10),
    "ten steps as long as they may be": request(people(30, a="x" * 800), *["{{a}}" * 16] * 10),
    "as many filters as there may be": request(people(1, **LARGEST), "{{a|title|title|title|title}}"),
    "as many variables and tags as there may be": request(people(1, a="x"), "{{a}}" * (MAX_TOKENS // 3)),
    "as many variables as there may be": request(
        [person(dict.fromkeys(map("a{}".format, range(MOST_VALUES)), "x"))], "Hi"
    ),
}
"""Requests that are accepted, each the largest of its kind."""

BEYOND = {
    "a text that becomes too long": (request(people(20, **ROOM), "{{a}}" * 660), "bad_text"),
    "a message that becomes too long": (request(people(20, a="x" * 820), *["{{a}}" * 16] * 10), "too_long"),
    "too many filters": (request(people(1, **LARGEST), "{{a|title|title|title|title|title}}"), "bad_text"),
    "too many variables and tags": (request(people(1, a="x"), "{{a}}" * (MAX_TOKENS // 3 + 1)), "too_long"),
    "too many in all texts": (request(people(1, a="x"), "{{a}}" * 600, "{{a}}" * 600), "too_long"),
    "too many variables": (request([person(dict.fromkeys(map("a{}".format, range(60_000)), 1))], "Hi"), "too_many"),
    "a long name of a field in each item": (
        request(people(1000), "Hi", **{"x" * 900_000: 1}),
        "invalid",
    ),
}
"""Requests with one more, and the code with which each of their items is refused."""


NOTHINGS = b"[" + b",".join([b"[]"] * 340_000) + b"]"
"""Nearly a MiB of JSON, in which there is as much to make as can be, and nothing that anybody means."""

EMPTY = {
    "messages": b'{"messages":%s}' % NOTHINGS,
    "a message": b'{"messages":[%s]}' % NOTHINGS,
    "destinations": b'{"messages":[{"destinations":%s}]}' % NOTHINGS,
    "destinations of nobody": b'{"messages":[{"destinations":%s}]}' % NOTHINGS.replace(b"[]", b"{}"),
    "a variable": b'{"messages":[{"destinations":[{"variables":{"a":%s}}]}]}' % NOTHINGS,
}
"""Bodies of nothing but empty lists and objects, by what is made of them."""


@pytest.mark.parametrize("path", PATHS)
async def test_empty_lists_are_refused_and_leave_the_loop_free(demo: ApiClient, path: str) -> None:
    for case, body in EMPTY.items():
        with watched() as stalls:
            reply = await caller(demo).ask("POST", path, body)
        assert b'"invalid"' in reply.body, case
        assert stalls.longest < BLOCKED, case
        assert stalls.memory < MEMORY, case


@pytest.mark.parametrize("path", PATHS)
async def test_the_largest_messages_leave_the_loop_free(demo: ApiClient, path: str) -> None:
    for case, body in CASES.items():
        with watched() as stalls:
            reply = await caller(demo).ask("POST", path, body)
        assert [item for item in json.loads(reply.body)["messages"] if "error" in item] == [], case
        assert stalls.longest < BLOCKED, case
        assert stalls.memory < MEMORY, case


@pytest.mark.parametrize("path", PATHS)
async def test_one_more_is_refused_as_fast(demo: ApiClient, path: str) -> None:
    for case, (body, code) in BEYOND.items():
        with watched() as stalls:
            reply = await caller(demo).ask("POST", path, body)
        assert {item["error"]["code"] for item in json.loads(reply.body)["messages"]} == {code}, case
        assert len(reply.body) < MIB, case
        assert stalls.longest < BLOCKED, case
        assert stalls.memory < MEMORY, case


async def test_a_text_that_is_refused_late_is_compiled_once_for_all_destinations(demo: ApiClient) -> None:
    body = request(people(1000, a="x"), "{{a}}" * 950 + "{{a.b}}")
    language._compiled.cache_clear()
    with watched() as stalls:
        reply = await caller(demo).ask("POST", PATHS[1], body)
    errors = [item["error"]["code"] for item in json.loads(reply.body)["messages"]]
    assert errors == ["bad_text"] * 1000
    assert language._compiled.cache_info().misses == 1
    assert stalls.longest < BLOCKED


async def test_a_request_has_a_bound_on_all_its_texts(demo: ApiClient) -> None:
    """Nothing of it is accepted, so that it can be sent in two."""
    body = request(people(1000, a="x" * 800), *["{{a}}" * 16] * 10)
    with watched() as stalls:
        reply = await caller(demo).ask("POST", PATHS[0], body)
    assert (reply.status, json.loads(reply.body)["details"]) == (400, {"code": "too_long", "field": "messages"})
    assert await demo.environment.runtime.db["notifications"].count_documents({}) == 0
    assert stalls.longest < BLOCKED
    assert stalls.memory < MEMORY


async def test_the_largest_answer_is_given_again_under_its_key(demo: ApiClient) -> None:
    """It is larger than a document of the database may be."""
    body = request(people(MOST), *["Hi"] * 10, groupId="g" * 256, timezone="Europe/Moscow", weekdays=[1, 2, 3, 4, 5])
    bulk = body.removesuffix(b"}") + b',"bulkId":"' + b"b" * 256 + b'"}'
    with watched() as stalls:
        first = await caller(demo).ask("POST", PATHS[0], bulk, {"Idempotency-Key": "all"})
        second = await caller(demo).ask("POST", PATHS[0], bulk, {"Idempotency-Key": "all"})
    assert (first.status, second.status) == (202, 202)
    assert len(first.body) > 16 * MIB
    assert first.body == second.body
    assert await demo.environment.runtime.db["notifications"].count_documents({}) == MOST
    assert stalls.longest < BLOCKED
    assert stalls.memory < 8 * MEMORY

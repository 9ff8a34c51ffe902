"""Hostile input: it never gets a 5xx, never shows our internals, and never breaks a worker's loop."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.client import PHONE, ApiClient

# The database driver's threads use `random` while hypothesis draws; no strategy of ours does.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

# The database driver's threads use `random` whenever they like, and hypothesis takes that for a strategy's doing.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")

MANY = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SOME = settings(MANY, max_examples=100)
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=20) | st.sampled_from(
    [
        "",
        " ",
        "\0",
        "{{",
        "{{a}}",
        "$where",
        "a.b",
        "../..",
        "\ud800",
        "\u202e",
        "😀" * 40,
        "x" * 300,
        PHONE,
        "telegram",
    ]
)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
FLAT = st.none() | st.booleans() | NUMBERS | TEXTS
NESTED = st.lists(FLAT, max_size=3) | st.dictionaries(TEXTS, FLAT, max_size=3)
JSON = FLAT | NESTED | st.lists(NESTED, max_size=3) | st.dictionaries(TEXTS, NESTED, max_size=3)
TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "{{name}}", "order": "A-17"}}
RIGHT = {
    "messages": [
        {
            "destinations": [{"phone": PHONE, "variables": {"name": "Anna"}}],
            "channels": [
                {
                    "channel": "telegram",
                    "account": "demo",
                    "text": "{{name}}",
                    "buttons": [{"text": "Yes", "reply": "y"}],
                },
                {"channel": "whatsapp", "text": "{{name}}", "template": TEMPLATE, "success": "read"},
                {"channel": "sms", "media": {"type": "image", "url": "https://a.ru/b"}, "fallbackAfter": "PT10S"},
            ],
            "validityPeriod": 60,
            "groupId": "g1",
            "callbackData": "mine",
        }
    ],
    "bulkId": "b1",
}
NAMES = {"phone": PHONE, "externalId": "crm-17"}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every object and list in a JSON value with each of its keys or indexes."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield value, key
        yield from places(child)


def with_changes(right: Any, changes: list[tuple[int, str | None, Any]]) -> Any:
    """Return a copy with other values in some places, or under other names beside them."""
    value = json.loads(json.dumps(right))
    for number, name, new in changes:
        parent, key = (all_places := list(places(value)))[number % len(all_places)]
        parent[name if name is not None and isinstance(parent, dict) else key] = new
    return value


def nearly(right: Any) -> st.SearchStrategy[Any]:
    """Return a strategy of values that are right except in up to three places."""
    name = st.none() | st.none() | st.none() | TEXTS
    changes = st.tuples(st.integers(0, 99), name, TEXTS | TEXTS | NUMBERS | JSON)
    return st.lists(changes, max_size=3).map(lambda drawn: with_changes(right, drawn))


HEADERS = st.dictionaries(
    st.sampled_from(["Idempotency-Key", "Content-Type", "X-Twilio-Signature", "X-Hub-Signature-256"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
)


def assert_no_exceptions(caplog: pytest.LogCaptureFixture) -> None:
    """Check that neither the web process nor the worker logged an exception."""
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def ask(demo: ApiClient, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """Send a request, and check the answer for 5xx and tracebacks. Returns its status and text."""
    async with demo.http.request(method, path, data=body, headers=headers) as response:
        text = await response.text(errors="replace")
    assert response.status < 500, text
    assert "Traceback" not in text
    return response.status, text


@MANY
@given(nearly(RIGHT), HEADERS)
async def test_messages(
    demo: ApiClient, caplog: pytest.LogCaptureFixture, body: object, headers: dict[str, str]
) -> None:
    status, text = await ask(demo, "POST", "/api/v1/messages", json.dumps(body).encode(), headers)
    answer = json.loads(text)
    if status == 202:
        assert all("id" in item or set(item["error"]) == {"code", "message", "field"} for item in answer["messages"])
    else:
        assert status in {400, 409, 415}
        assert set(answer) == {"error", "details"}
    assert_no_exceptions(caplog)


@SOME
@given(nearly(NAMES))
async def test_contacts(demo: ApiClient, caplog: pytest.LogCaptureFixture, body: object) -> None:
    status, _ = await ask(demo, "POST", "/api/v1/contacts", json.dumps(body).encode(), {})
    assert status in {200, 400}
    assert_no_exceptions(caplog)


@MANY
@given(st.sampled_from(["GET", "POST", "HEAD"]), st.binary(max_size=200), HEADERS, st.text(max_size=10))
async def test_webhooks(
    demo: ApiClient, caplog: pytest.LogCaptureFixture, method: str, body: bytes, headers: dict[str, str], query: str
) -> None:
    """Strangers have no provider's proof."""
    for channel in demo.environment.simulators:
        path = f"/webhooks/{channel}/demo?q={quote(query)}&hub.mode=subscribe&hub.verify_token={quote(query)}"
        status, _ = await ask(demo, method, path, body, headers)
        assert status in {400, 401, 403}
    assert_no_exceptions(caplog)


@SOME
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
async def test_paths(demo: ApiClient, caplog: pytest.LogCaptureFixture, words: str) -> None:
    key = quote(words, safe="")
    for method in ("GET", "POST"):
        status, _ = await ask(demo, method, f"/{key}", b"", {})
        assert status in {200, 400, 404, 405}
        status, _ = await ask(demo, method, f"/api/v1/messages/{key}", b"", {})
        assert status in {400, 404, 405}
    assert_no_exceptions(caplog)


async def test_what_was_accepted_hurts_no_worker(demo: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    """Texts that are right for us and odd for providers come to an end: sent, or refused in words."""
    odd = ["\u202e", "\ud83d", "😀" * 3000, "<b>&amp;", "a\0b", "\r\n", "{{'{{'}}", "\u0001", "x " * 8000]
    channels = [{"channel": name, "text": ""} for name in demo.environment.simulators]
    await demo.say("telegram", "/start")
    await demo.say("whatsapp", "/start")
    done: Counter[str] = Counter()
    for text in odd:
        raw = json.dumps({"messages": [message({**channel, "text": text}) for channel in channels]})
        status, answer = await ask(demo, "POST", "/api/v1/messages", raw.encode(), {})
        items = json.loads(answer)["messages"] if status == 202 else []
        for channel, item in zip(channels, items, strict=bool(items)):
            if "id" in item:
                await demo.wait_for(item["id"], "SENT", "DELIVERED", "READ", "UNDELIVERED")
                done[channel["channel"]] += 1
    assert set(done) == set(demo.environment.simulators), "every channel accepts some of these texts"
    assert_no_exceptions(caplog)


def message(step: dict[str, Any]) -> dict[str, Any]:
    return {"destinations": [{"phone": PHONE}], "channels": [step]}

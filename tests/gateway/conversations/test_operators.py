"""Tests the API of conversations: their list and messages, operators' replies, beginning and closing."""

from functools import partial
from typing import Any

import pytest

from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import advance_clock, phone, texts

TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}


async def get(demo: ApiClient, path: str, **query: str) -> tuple[int, Any]:
    async with demo.http.get(f"/api/v1/sessions{path}", params=query) as response:
        return response.status, await response.json()


async def list_sessions(demo: ApiClient, **query: str) -> list[Any]:
    sessions: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        status, page = await get(demo, "", **query, **({"cursor": cursor} if cursor else {}))
        assert status == 200, page
        sessions += page["sessions"]
        cursor = page["cursor"]
    return sessions


async def session(demo: ApiClient, channel: str, number: str = PHONE) -> Any:
    """Write to the bot as the person, and return their conversation as the API shows it."""
    await demo.say(channel, "/start", number)
    sessions = await list_sessions(demo, channel=channel)
    simulator = demo.environment.simulators[channel]
    user = simulator.known_as(simulator.user_of(number))
    return next(session for session in sessions if session["userId"] == user)


async def test_the_latest_first_in_pages_and_by_filters(demo: ApiClient) -> None:
    for number in (100, 101, 102):
        await demo.say("telegram", "/start", phone(number))
        advance_clock(demo, minutes=1)
    await demo.say("vk", "/start", phone(100))
    everyone = await list_sessions(demo, limit="2")
    assert [(session["channel"], session["state"]) for session in everyone] == [
        ("vk", "open"),
        *[("telegram", "open")] * 3,
    ]
    users = [demo.environment.simulators["telegram"].user_of(phone(number)) for number in (102, 101, 100)]
    assert [session["userId"] for session in everyone[1:]] == users
    assert len(await list_sessions(demo, channel="telegram", limit="1")) == 3
    assert await list_sessions(demo, state="closed") == []
    assert (await get(demo, "", state="gone"))[0] == 400


async def test_how_it_stands(demo: ApiClient) -> None:
    listed_session = await session(demo, "whatsapp")
    status, conversation = await get(demo, f"/{listed_session['id']}")
    assert (status, conversation["window"]["open"], conversation["state"]) == (200, True, "open")
    assert "window open for 23 h" in conversation["window"]["words"]
    advance_clock(demo, hours=25)
    window = (await get(demo, f"/{listed_session['id']}"))[1]["window"]
    assert (window["open"], window["words"]) == (False, "window closed 1 h ago")
    assert (await get(demo, "/whatsapp:demo:nobody"))[0] == 404


async def test_what_was_said(demo: ApiClient) -> None:
    conversation = await session(demo, "whatsapp")
    advance_clock(demo, minutes=1)
    await demo.say("whatsapp", "Where is my order?")
    key = await demo.send({"channel": "whatsapp", "text": "Here!"})
    await demo.wait_for(key, "READ")
    _, first = await get(demo, f"/{conversation['id']}/messages", limit="2")
    _, second = await get(demo, f"/{conversation['id']}/messages", cursor=first["cursor"])
    lines = first["messages"] + second["messages"]
    assert (lines[0]["direction"], lines[0]["text"], lines[0]["messageId"]) == ("out", "Here!", key)
    assert lines[0]["status"] == "READ"
    assert [line["text"] for line in lines if line["direction"] == "in"] == ["Where is my order?", "/start"]
    assert len({(line["at"], line["text"]) for line in lines}) == len(lines) == 5


async def test_what_was_said_within_a_second_is_read_in_the_order_in_which_it_was_said(demo: ApiClient) -> None:
    """WhatsApp tells whole seconds, in which there are several questions and answers here."""
    path = f"/{(await session(demo, 'whatsapp'))['id']}/messages"
    said = ["/start", "/help", "/start", "/help", "/start"]

    async def lines(count: int) -> list[Any] | None:
        _, page = await get(demo, path)
        return page["messages"] if len(page["messages"]) == count else None

    for count, text in enumerate(said[1:], 2):
        await until(partial(lines, 2 * (count - 1)))
        await demo.say("whatsapp", text)
    log = list(reversed(await until(partial(lines, 2 * len(said)))))
    assert [line["direction"] for line in log] == ["in", "out"] * len(said)
    assert [line["text"] for line in log if line["direction"] == "in"] == said


async def test_an_operator_replies_to_this_conversation(demo: ApiClient) -> None:
    conversation = await session(demo, "telegram")
    body = {"text": "How can I help?", "buttons": [{"text": "Order"}]}
    answers = [
        await demo.post(f"/api/v1/sessions/{conversation['id']}/messages", body, **{"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 202
    await demo.wait_for(answers[0][1]["id"], "SENT")
    assert texts(demo, "telegram").count("How can I help?") == 1


async def test_refused_with_the_reason(demo: ApiClient) -> None:
    conversation = await session(demo, "whatsapp")
    advance_clock(demo, hours=25)
    path = f"/api/v1/sessions/{conversation['id']}/messages"
    status, answer = await demo.post(path, {"text": "Hello?"})
    assert (status, "window closed 1 h ago" in answer["error"]) == (409, True)
    status, answer = await demo.post(path, {"template": TEMPLATE})
    assert status == 202
    await demo.wait_for(answer["id"], "READ")
    status, answer = await demo.post(path, {})
    assert (status, answer["details"]["field"]) == (400, "text")
    other_conversation = await session(demo, "telegram")
    await demo.say("telegram", "/stop")
    status, answer = await demo.post(f"/api/v1/sessions/{other_conversation['id']}/messages", {"text": "But why?"})
    assert (status, "asked us to stop" in answer["error"]) == (409, True)
    assert (await demo.post("/api/v1/sessions/nothing/messages", {"text": "a"}))[0] == 404


async def start(demo: ApiClient, **body: Any) -> tuple[int, Any]:
    return await demo.post("/api/v1/sessions", body)


async def test_a_conversation_is_begun_continued_and_begun_anew(demo: ApiClient) -> None:
    status, first = await start(demo, channel="whatsapp", phone="8 900 000-00-01", template=TEMPLATE, name="Anna")
    assert (status, first["continued"], first["session"]["name"]) == (201, False, "Anna")
    await demo.wait_for(first["message"]["id"], "READ")
    status, answer = await start(demo, channel="whatsapp", phone=PHONE)
    assert (status, first["session"]["id"] in answer["error"]) == (409, True)
    status, second = await start(demo, channel="whatsapp", phone=PHONE, continueLastOrStartNewSession=True)
    assert (status, second["continued"], second["session"]["id"]) == (201, True, first["session"]["id"])
    await demo.post(f"/api/v1/sessions/{first['session']['id']}/close", {})
    status, anew = await start(demo, channel="whatsapp", phone=PHONE)
    assert (status, anew["continued"], anew["session"]["state"]) == (201, False, "open")


async def test_a_number_is_one_address_in_any_form(demo: ApiClient) -> None:
    _, first = await start(demo, channel="whatsapp", userId="8 900 000-00-01")
    status, second = await start(demo, channel="whatsapp", phone=PHONE, continueLastOrStartNewSession=True)
    assert (status, second["session"]["id"]) == (201, first["session"]["id"])
    _, third = await start(demo, channel="whatsapp", userId="RU.13491208655302741918")
    assert third["session"]["userId"] == "RU.13491208655302741918"


async def test_what_may_not_be_said_begins_nothing(demo: ApiClient) -> None:
    status, answer = await start(demo, channel="whatsapp", phone=PHONE, text="Hello")
    assert (status, "the person has not written yet" in answer["error"]) == (409, True)
    assert await list_sessions(demo) == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"channel": "telegram", "phone": PHONE}, 409, None),
        ({"channel": "telegram", "userId": "17"}, 409, None),
        ({"channel": "pigeon", "phone": PHONE}, 400, "channel"),
        ({"channel": "sms"}, 400, ""),
        ({"channel": "sms", "phone": PHONE, "userId": "1"}, 400, ""),
        ({"channel": "sms", "phone": "x"}, 400, "phone"),
        ({"channel": "sms", "contactId": "c"}, 400, "contactId"),
        ({"channel": "sms", "externalId": "c"}, 400, "externalId"),
    ],
)
async def test_whom_nobody_can_begin_with(
    demo: ApiClient, body: dict[str, str], status: int, field: str | None
) -> None:
    response_status, answer = await start(demo, **body)
    assert (response_status, (answer["details"] or {}).get("field")) == (status, field)


async def test_closed_until_the_person_writes_again(demo: ApiClient) -> None:
    conversation = await session(demo, "telegram")
    for _ in range(2):
        status, view = await demo.post(f"/api/v1/sessions/{conversation['id']}/close", {})
        assert (status, view["state"]) == (200, "closed")
    assert [session["id"] for session in await list_sessions(demo, state="closed")] == [conversation["id"]]
    advance_clock(demo, minutes=1)
    await demo.say("telegram", "One more thing")
    assert (await get(demo, f"/{conversation['id']}"))[1]["state"] == "open"
    assert (await demo.post("/api/v1/sessions/nothing/close", {}))[0] == 404


async def test_open_again_though_the_providers_clock_is_behind_ours(demo: ApiClient) -> None:
    """Providers give times in whole seconds, so a message right after the closing seems to be older than it."""
    conversation = await session(demo, "telegram")
    await demo.post(f"/api/v1/sessions/{conversation['id']}/close", {})
    await demo.say("telegram", "One more thing")
    assert (await get(demo, f"/{conversation['id']}"))[1]["state"] == "open"


async def test_what_was_said_is_read_where_no_conversation_has_begun(demo: ApiClient) -> None:
    key = await demo.send({"channel": "sms", "text": "Your code is 1234"})
    await demo.wait_for(key, "DELIVERED")
    chat = f"/sms:demo:{PHONE}"
    status, page = await get(demo, f"{chat}/messages")
    assert (status, [line["text"] for line in page["messages"]]) == (200, ["Your code is 1234"])
    assert (await get(demo, chat))[0] == 404
    assert (await get(demo, "/sms:demo:+79000000099/messages"))[0] == 404

"""Conversations over HTTP: lists, what was said, an operator's reply, beginning and closing."""

from typing import Any

import pytest

from tests.support.client import PHONE, Player
from tests.support.workload import later, phone, texts

TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}


async def get(town: Player, path: str, **asked: str) -> tuple[int, Any]:
    async with town.http.get(f"/api/v1/sessions{path}", params=asked) as response:
        return response.status, await response.json()


async def listed(town: Player, **asked: str) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        status, page = await get(town, "", **asked, **({"cursor": cursor} if cursor else {}))
        assert status == 200, page
        found += page["sessions"]
        cursor = page["cursor"]
    return found


async def session(town: Player, channel: str, number: str = PHONE) -> Any:
    """The person's conversation on this channel, after they have said something."""
    await town.say(channel, "/start", number)
    found = await listed(town, channel=channel)
    user = town.town.simulators[channel].user_of(number)
    return next(one for one in found if one["userId"] == user)


async def test_the_latest_first_in_pages_and_by_filters(town: Player) -> None:
    for number in (100, 101, 102):
        await town.say("telegram", "/start", phone(number))
        later(town, minutes=1)
    await town.say("vk", "/start", phone(100))
    everyone = await listed(town, limit="2")
    assert [(one["channel"], one["state"]) for one in everyone] == [("vk", "open"), *[("telegram", "open")] * 3]
    users = [town.town.simulators["telegram"].user_of(phone(number)) for number in (102, 101, 100)]
    assert [one["userId"] for one in everyone[1:]] == users
    assert len(await listed(town, channel="telegram", limit="1")) == 3
    assert await listed(town, state="closed") == []
    assert (await get(town, "", state="gone"))[0] == 400


async def test_how_it_stands(town: Player) -> None:
    mine = await session(town, "whatsapp")
    status, one = await get(town, f"/{mine['id']}")
    assert (status, one["window"]["open"], one["state"]) == (200, True, "open")
    assert "window open for 23 h" in one["window"]["words"]
    later(town, hours=25)
    window = (await get(town, f"/{mine['id']}"))[1]["window"]
    assert (window["open"], window["words"]) == (False, "window closed 1 h ago")
    assert (await get(town, "/whatsapp:demo:nobody"))[0] == 404


async def test_what_was_said(town: Player) -> None:
    mine = await session(town, "whatsapp")
    later(town, minutes=1)
    await town.say("whatsapp", "Where is my order?")
    sent = await town.send({"channel": "whatsapp", "text": "Here!"})
    await town.ended(sent, "READ")
    _, first = await get(town, f"/{mine['id']}/messages", limit="2")
    _, rest = await get(town, f"/{mine['id']}/messages", cursor=first["cursor"])
    lines = first["messages"] + rest["messages"]
    assert (lines[0]["direction"], lines[0]["text"], lines[0]["messageId"]) == ("out", "Here!", sent)
    assert lines[0]["status"] == "READ"
    assert [line["text"] for line in lines if line["direction"] == "in"] == ["Where is my order?", "/start"]
    assert len({(line["at"], line["text"]) for line in lines}) == len(lines) == 5


async def test_an_operator_replies_to_this_conversation(town: Player) -> None:
    mine = await session(town, "telegram")
    body = {"text": "How can I help?", "buttons": [{"text": "Order"}]}
    answers = [
        await town.post(f"/api/v1/sessions/{mine['id']}/messages", body, **{"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 202
    await town.ended(answers[0][1]["id"], "SENT")
    assert texts(town, "telegram").count("How can I help?") == 1


async def test_refused_with_the_reason(town: Player) -> None:
    mine = await session(town, "whatsapp")
    later(town, hours=25)
    path = f"/api/v1/sessions/{mine['id']}/messages"
    status, answer = await town.post(path, {"text": "Hello?"})
    assert (status, "window closed 1 h ago" in answer["error"]) == (409, True)
    status, answer = await town.post(path, {"template": TEMPLATE})
    assert status == 202
    await town.ended(answer["id"], "READ")
    status, answer = await town.post(path, {})
    assert (status, answer["details"]["field"]) == (400, "text")
    theirs = await session(town, "telegram")
    await town.say("telegram", "/stop")
    status, answer = await town.post(f"/api/v1/sessions/{theirs['id']}/messages", {"text": "But why?"})
    assert (status, "asked us to stop" in answer["error"]) == (409, True)
    assert (await town.post("/api/v1/sessions/nothing/messages", {"text": "a"}))[0] == 404


async def start(town: Player, **asked: Any) -> tuple[int, Any]:
    return await town.post("/api/v1/sessions", asked)


async def test_a_conversation_is_begun_continued_and_begun_anew(town: Player) -> None:
    status, begun = await start(town, channel="whatsapp", phone="8 900 000-00-01", template=TEMPLATE, name="Anna")
    assert (status, begun["continued"], begun["session"]["name"]) == (201, False, "Anna")
    await town.ended(begun["message"]["id"], "READ")
    status, answer = await start(town, channel="whatsapp", phone=PHONE)
    assert (status, begun["session"]["id"] in answer["error"]) == (409, True)
    status, again = await start(town, channel="whatsapp", phone=PHONE, continueLastOrStartNewSession=True)
    assert (status, again["continued"], again["session"]["id"]) == (201, True, begun["session"]["id"])
    await town.post(f"/api/v1/sessions/{begun['session']['id']}/close", {})
    status, anew = await start(town, channel="whatsapp", phone=PHONE)
    assert (status, anew["continued"], anew["session"]["state"]) == (201, False, "open")


async def test_a_number_is_one_address_in_any_form(town: Player) -> None:
    _, begun = await start(town, channel="whatsapp", userId="8 900 000-00-01")
    status, again = await start(town, channel="whatsapp", phone=PHONE, continueLastOrStartNewSession=True)
    assert (status, again["session"]["id"]) == (201, begun["session"]["id"])
    _, named = await start(town, channel="whatsapp", userId="RU.13491208655302741918")
    assert named["session"]["userId"] == "RU.13491208655302741918"


async def test_what_may_not_be_said_begins_nothing(town: Player) -> None:
    status, answer = await start(town, channel="whatsapp", phone=PHONE, text="Hello")
    assert (status, "the person has not written yet" in answer["error"]) == (409, True)
    assert await listed(town) == []


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({"channel": "telegram", "phone": PHONE}, 400, "channel"),
        ({"channel": "telegram", "userId": "17"}, 409, None),
        ({"channel": "pigeon", "phone": PHONE}, 400, "channel"),
        ({"channel": "sms"}, 400, ""),
        ({"channel": "sms", "phone": PHONE, "userId": "1"}, 400, ""),
        ({"channel": "sms", "phone": "x"}, 400, "phone"),
        ({"channel": "sms", "contactId": "c"}, 400, "contactId"),
        ({"channel": "sms", "externalId": "c"}, 400, "externalId"),
    ],
)
async def test_whom_nobody_can_begin_with(town: Player, asked: dict[str, str], status: int, field: str | None) -> None:
    found, answer = await start(town, **asked)
    assert (found, (answer["details"] or {}).get("field")) == (status, field)


async def test_closed_until_the_person_writes_again(town: Player) -> None:
    mine = await session(town, "telegram")
    for _ in range(2):
        status, closed = await town.post(f"/api/v1/sessions/{mine['id']}/close", {})
        assert (status, closed["state"]) == (200, "closed")
    assert [one["id"] for one in await listed(town, state="closed")] == [mine["id"]]
    later(town, minutes=1)
    await town.say("telegram", "One more thing")
    assert (await get(town, f"/{mine['id']}"))[1]["state"] == "open"
    assert (await town.post("/api/v1/sessions/nothing/close", {}))[0] == 404


async def test_open_again_though_the_providers_clock_is_behind_ours(town: Player) -> None:
    """Providers tell whole seconds: what is written right after it was closed seems to be older."""
    mine = await session(town, "telegram")
    await town.post(f"/api/v1/sessions/{mine['id']}/close", {})
    await town.say("telegram", "One more thing")
    assert (await get(town, f"/{mine['id']}"))[1]["state"] == "open"

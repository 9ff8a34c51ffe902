"""Tests what operators have not seen of a conversation, what was said last, and how people are found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Address, Content, Session
from gateway.domain.model.sought import name_key, phone_tail
from gateway.people.attention import MOST_UNSEEN, noticed, seen
from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import advance_clock, phone

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESS = Address("telegram", "main", "7")


async def listed(demo: ApiClient, **query: str) -> list[Any]:
    async with demo.http.get("/api/v1/sessions", params=query) as response:
        assert response.status == 200, await response.text()
        return list((await response.json())["sessions"])


def message(number: int) -> Inbound:
    return Inbound(ADDRESS, f"e{number}", f"m{number}", Content(f"{number}"), AT + timedelta(seconds=number))


async def test_what_a_person_writes_is_unread_until_an_operator_looks(demo: ApiClient) -> None:
    await demo.say("telegram", "/start gITEHR8w")
    (session,) = await listed(demo)
    assert (session["unread"], session["last"]["text"]) == (0, "/start"), "they have said nothing"
    await demo.say("telegram", "/start is it far?")
    await demo.say("telegram", "Is it far?")
    (session,) = await listed(demo, unread="true")
    assert (session["unread"], session["seenBy"]) == (2, None)
    status, after = await demo.post(f"/api/v1/sessions/{session['id']}/seen", {})
    assert (status, after["unread"], after["unreadFrom"], after["seenBy"]) == (200, 0, None, "demo")
    assert await listed(demo, unread="true") == []
    await demo.say("telegram", "Hello?")
    (session,) = await listed(demo, unread="true")
    assert session["unread"] == 1


async def test_the_last_line_is_the_persons_or_the_operators(demo: ApiClient) -> None:
    await demo.say("whatsapp", "Is it far? " * 30)
    (session,) = await listed(demo)
    assert (session["last"]["text"], session["last"]["direction"]) == (("Is it far? " * 30)[:120], "in")
    advance_clock(demo, minutes=1)
    await demo.post(f"/api/v1/sessions/{session['id']}/messages", {"text": "Twenty minutes."})
    (session,) = await listed(demo)
    assert (session["last"]["text"], session["last"]["direction"]) == ("Twenty minutes.", "out")
    assert (session["unread"], session["seenBy"]) == (0, "demo")


async def test_the_log_names_who_replied(demo: ApiClient) -> None:
    await demo.say("telegram", "/start")
    (session,) = await listed(demo)
    path = f"/api/v1/sessions/{session['id']}/messages"
    status, item = await demo.post(path, {"text": "Good morning."})
    assert status == 202
    await demo.wait_for(item["id"], "SENT")

    async def authors() -> dict[str, str | None] | None:
        async with demo.http.get(path) as response:
            lines = {line["text"]: line["by"] for line in (await response.json())["messages"]}
        return lines if "Good morning." in lines else None

    lines = await until(authors)
    assert lines["Good morning."] == "demo"
    assert lines["/start"] is None


@pytest.mark.parametrize("wanted", ["0001", "+7 900 000-00-01", "8 (900) 000-00-01"])
async def test_people_are_found_by_the_end_of_their_number_on_every_channel(demo: ApiClient, wanted: str) -> None:
    await demo.say("whatsapp", "Hello")
    await demo.say("whatsapp", "Hello", phone(99))
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")
    found = await listed(demo, q=wanted)
    assert {each["channel"] for each in found} == {"whatsapp", "telegram"}
    assert {each["contactId"] for each in found} == {contact["id"]}


async def test_people_are_found_by_the_beginning_of_a_name(demo: ApiClient) -> None:
    await demo.say("whatsapp", "Hello")
    (session,) = await listed(demo)
    key = session["contactId"]
    async with demo.http.patch(f"/api/v1/contacts/{key}", json={"name": "Пётр  Иванов"}) as response:
        assert response.status == 200
    assert [each["id"] for each in await listed(demo, q="ПЕТР и")] == [session["id"]]
    assert await listed(demo, q="иванов") == []
    assert await listed(demo, q="петр", channel="telegram") == []


def test_a_message_that_is_worked_on_again_counts_once_in_any_order() -> None:
    session = Session(ADDRESS.key, ADDRESS)
    one = noticed(noticed(noticed(session, message(1), AT), message(2), AT), message(1), AT)
    other = noticed(noticed(session, message(2), AT), message(1), AT)
    assert len(one.unseen) == 2
    assert (one.unseen, one.unseen_from) == (other.unseen, other.unseen_from)


def test_however_much_is_unseen_a_session_stays_small() -> None:
    session = Session(ADDRESS.key, ADDRESS)
    for number in range(50):
        session = noticed(session, message(number), AT + timedelta(seconds=number))
    assert (len(session.unseen), session.unseen_from) == (MOST_UNSEEN, AT)


def test_a_second_look_within_a_minute_writes_nothing() -> None:
    session = seen(Session(ADDRESS.key, ADDRESS), "olga", AT)
    assert seen(session, "olga", AT + timedelta(seconds=59)) is session
    assert seen(session, "igor", AT + timedelta(seconds=1)).seen_by == "igor"
    assert seen(session, "olga", AT + timedelta(seconds=61)).seen_at == AT + timedelta(seconds=61)


def test_names_and_numbers_are_compared_however_they_are_written() -> None:
    assert name_key("  ПЁТР\u00a0 Иванов ") == "петр иванов"
    assert len(name_key("a" * 10_000)) == 64
    assert phone_tail("+7 900 000-00-01") == phone_tail("8(900)0000001") == "1000000009"
    assert phone_tail("no number") == ""

"""Tests contacts whose names and numbers move: no message reaches the wrong person, and no opt-out is lost."""

import asyncio
from typing import Any

import pytest

from tests.support.client import PHONE, ApiClient
from tests.support.workload import accepted_messages, decisions_text, phone, post_message, send_all

OTHER, NEW = phone(501), phone(502)
SMS = {"channel": "sms", "text": "Hi"}
WHATSAPP = {"channel": "whatsapp", "text": "Hi"}


async def create_contact(demo: ApiClient, number: str, external: str) -> str:
    status, contact = await demo.post("/api/v1/contacts", {"phone": number, "externalId": external})
    assert status == 200, contact
    return str(contact["id"])


async def change_phone(demo: ApiClient, key: str, number: str) -> None:
    async with demo.http.patch(f"/api/v1/contacts/{key}", json={"phone": number}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ("phone", "contactId", "contactId"),
        ("contactId", "externalId", "externalId"),
        ("phone", "externalId", "externalId"),
    ],
)
async def test_names_of_two_people_are_a_mistake(demo: ApiClient, first: str, second: str, field: str) -> None:
    """Otherwise one person would read the other's message."""
    first_id, second_id = await create_contact(demo, PHONE, "crm-1"), await create_contact(demo, OTHER, "crm-2")
    first_names = {"phone": PHONE, "contactId": first_id, "externalId": "crm-1"}
    second_names = {"phone": OTHER, "contactId": second_id, "externalId": "crm-2"}
    (item,) = await post_message(demo, [{first: first_names[first], second: second_names[second]}], SMS)
    assert (item["error"]["code"], item["error"]["field"]) == ("two_people", f"messages[0].destinations[0].{field}")
    (key,) = await send_all(demo, [{first: first_names[first], second: first_names[second]}], SMS)
    await demo.wait_for(key, "DELIVERED")


async def test_after_a_change_of_number_nothing_goes_to_the_old_one(demo: ApiClient) -> None:
    """The old number may be a stranger's by now."""
    key = await create_contact(demo, PHONE, "crm-1")
    await demo.say("whatsapp", "/start")
    await change_phone(demo, key, NEW)
    before = len(accepted_messages(demo, "whatsapp"))
    for person in ({"phone": NEW}, {"externalId": "crm-1"}):
        story = await demo.wait_for((await send_all(demo, [person], WHATSAPP, SMS))[0], "DELIVERED")
        assert story["attempts"][-1]["channel"] == "sms"
    old = [line.user for line in accepted_messages(demo, "whatsapp")[before:]]
    assert PHONE.removeprefix("+") not in old


async def test_an_opt_out_by_number_outlives_the_number(demo: ApiClient) -> None:
    await demo.post("/api/v1/optOuts", {"phone": PHONE, "kind": "marketing"})
    contact_id = await create_contact(demo, PHONE, "crm-1")
    await change_phone(demo, contact_id, NEW)
    (key,) = await send_all(demo, [{"externalId": "crm-1"}], SMS, category="marketing")
    assert "opted out of marketing" in decisions_text(await demo.wait_for(key, "UNDELIVERED"))


async def test_two_who_are_merged_in_both_directions_at_once_are_not_lost(demo: ApiClient) -> None:
    for number in range(5):
        names = [(phone(600 + 2 * number + n), f"crm-{number}-{n}") for n in (0, 1)]
        first_id, second_id = [await create_contact(demo, *name) for name in names]
        choice = {"phone": names[0][0], "externalId": names[0][1]}
        responses = await asyncio.gather(
            demo.post(f"/api/v1/contacts/{first_id}/merge", {"contactId": second_id, **choice}),
            demo.post(f"/api/v1/contacts/{second_id}/merge", {"contactId": first_id, **choice}),
        )
        assert {status for status, _ in responses} <= {200, 400, 409}, responses
        for key in (first_id, second_id):
            async with demo.http.get(f"/api/v1/contacts/{key}") as response:
                assert response.status == 200, responses


async def test_a_reply_is_what_was_typed(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    session = await latest_session(demo)
    for text in ("100 {% off", "Your code is {#17#}, bye", "Use {{name}}"):
        status, response = await demo.post(f"/api/v1/sessions/{session}/messages", {"text": text})
        assert status == 202, response
        await demo.wait_for(response["id"], "SENT", "DELIVERED", "READ")
        assert demo.answers("whatsapp")[-1].text == text


async def test_a_reply_that_was_said_is_said_though_the_person_stopped_meanwhile(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    session, key = await latest_session(demo), {"Idempotency-Key": "r"}
    first = await demo.post(f"/api/v1/sessions/{session}/messages", {"text": "Hi"}, **key)
    await demo.say("whatsapp", "/stop")
    assert await demo.post(f"/api/v1/sessions/{session}/messages", {"text": "Hi"}, **key) == first


async def latest_session(demo: ApiClient) -> str:
    async with demo.http.get("/api/v1/sessions") as response:
        return str((await response.json())["sessions"][0]["id"])


async def test_one_conversation_is_begun_once(demo: ApiClient) -> None:
    body = {"channel": "sms", "phone": PHONE, "text": "Hi"}
    responses = await asyncio.gather(*(demo.post("/api/v1/sessions", body) for _ in range(3)))
    assert sorted(status for status, _ in responses) == [201, 409, 409]


@pytest.mark.parametrize("with_key", [True, False])
async def test_one_own_id_for_two_messages_of_one_request(demo: ApiClient, *, with_key: bool) -> None:
    people: list[Any] = [{"phone": PHONE}]
    messages = [{"id": "x", "destinations": people, "channels": [{**SMS, "text": text}]} for text in ("one", "two")]
    headers = {"Idempotency-Key": "k"} if with_key else {}
    _, response = await demo.post("/api/v1/messages", {"messages": messages}, **headers)
    assert sorted("id" in item for item in response["messages"]) == [False, True]
    refusal = next(item for item in response["messages"] if "error" in item)
    assert refusal["error"]["code"] == "id_taken"

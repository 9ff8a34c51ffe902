"""Tests contacts: one person with a phone, an external id and the chats that were joined to them."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.client import PHONE, ApiClient

OTHER = "+79000000002"
TELEGRAM = {"channel": "telegram", "text": "Your order is on its way."}


async def join(demo: ApiClient, **names: Any) -> Any:
    status, answer = await demo.post("/api/v1/contacts", names)
    assert status == 200, answer
    return answer


async def join_refused(demo: ApiClient, **names: Any) -> Any:
    status, answer = await demo.post("/api/v1/contacts", names)
    assert status == 400
    return answer["details"]


def code_of(contact: Any, link: str) -> str:
    """Return the code in a start link, as the messenger would pass it on."""
    return str(parse_qs(urlsplit(contact["links"][link]).query)["start"][0])


async def test_one_person_whatever_they_are_called_by(demo: ApiClient) -> None:
    by_phone = await join(demo, phone="8 900 000 00 01")
    both = await join(demo, phone=PHONE, externalId="crm-17")
    by_id = await join(demo, externalId="crm-17")
    assert by_phone["id"] == both["id"] == by_id["id"]
    assert (by_phone["phone"], by_phone["externalId"]) == (PHONE, None)
    assert both == by_id
    assert (both["phone"], both["externalId"]) == (PHONE, "crm-17")


async def test_links_where_the_messenger_has_them(demo: ApiClient) -> None:
    contact = await join(demo, phone=PHONE)
    assert set(contact["links"]) == {f"{channel}:demo" for channel in ("telegram", "vk", "viber", "whatsapp")}
    assert code_of(contact, "telegram:demo") == contact["startCode"]


async def test_names_may_be_so_long_and_no_longer(demo: ApiClient) -> None:
    longest = "x" * 256
    contact = await join(demo, externalId=longest)
    assert contact["externalId"] == longest
    path = f"/api/v1/contacts/{contact['id']}"
    async with demo.http.patch(path, json={"name": longest}) as response:
        assert (response.status, (await response.json())["name"]) == (200, longest)
    async with demo.http.patch(path, json={"name": f"{longest}x"}) as response:
        assert response.status == 400


async def test_two_people_are_not_made_one(demo: ApiClient) -> None:
    await join(demo, phone=PHONE, externalId="crm-17")
    await join(demo, phone=OTHER, externalId="crm-18")
    for names in ({"phone": PHONE, "externalId": "crm-18"}, {"phone": PHONE, "externalId": "crm-19"}):
        assert await join_refused(demo, **names) == {"code": "two_people", "field": "externalId"}
        message = {"destinations": [names], "channels": [TELEGRAM]}
        _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
        error = answer["messages"][0]["error"]
        assert (error["code"], error["field"]) == ("two_people", "messages[0].destinations[0].externalId")
    assert (await join(demo, phone=PHONE))["externalId"] == "crm-17"


@pytest.mark.parametrize(
    ("names", "code", "field"),
    [
        ({}, "invalid", ""),
        ({"phone": "hello"}, "bad_phone", "phone"),
        ({"phone": 5}, "invalid", "phone"),
        ({"externalId": ""}, "invalid", "externalId"),
        ({"mail": "a@shop.ru"}, "invalid", "mail"),
        ({"email": "a@"}, "bad_email", "email"),
        ({"identifier": "loft:7"}, "unknown_kind", "identifier"),
        ({"identifier": "noidea"}, "invalid", "identifier"),
        ({"identifier": ""}, "invalid", "identifier"),
        ({"externalId": "   "}, "invalid", "externalId"),
        ({"externalId": "crm\0"}, "invalid", "externalId"),
        ({"externalId": "x" * 257}, "invalid", "externalId"),
        ({"device": "x" * 4097}, "invalid", "device"),
        ({"phone": PHONE, "identifier": f"phone:{OTHER}"}, "invalid", "identifier"),
        ({"email": "a@shop.ru", "identifier": "email:b@shop.ru"}, "invalid", "identifier"),
        ({"externalId": "crm-17", "identifier": "externalId:crm-18"}, "invalid", "identifier"),
    ],
)
async def test_what_is_no_contact(demo: ApiClient, names: dict[str, Any], code: str, field: str) -> None:
    assert await join_refused(demo, **names) == {"code": code, "field": field}


async def test_the_same_identifier_twice_is_one(demo: ApiClient) -> None:
    contact = await join(demo, phone=PHONE, identifier=f"phone:{PHONE}", device="x" * 4096)
    assert contact["identifiers"] == [f"phone:{PHONE}", "device:" + "x" * 4096]


async def test_a_contact_named_with_new_identifiers_gets_them(demo: ApiClient) -> None:
    contact = await join(demo, phone=PHONE)
    destination = {"contactId": contact["id"], "email": "anna@shop.ru", "device": "tab"}
    for _ in range(2):
        status, _ = await demo.post(
            "/api/v1/messages", {"messages": [{"destinations": [destination], "channels": [TELEGRAM]}]}
        )
        assert status == 202
    assert await join(demo, email="anna@shop.ru") == await join(demo, phone=PHONE)


async def test_a_mistake_in_one_destination_is_its_own(demo: ApiClient) -> None:
    destinations = [{"phone": PHONE}, {"identifier": "noidea"}, {"externalId": "x" * 257}, {"phone": OTHER}]
    body = {"messages": [{"destinations": destinations, "channels": [{"channel": "sms", "text": "Hi"}]}]}
    _, response = await demo.post("/api/v1/messages", body)
    assert [item.get("error", {}).get("field") for item in response["messages"]] == [
        None,
        "messages[0].destinations[1].identifier",
        "messages[0].destinations[2].externalId",
        None,
    ]


async def test_at_the_same_moment_one_person_is_made(demo: ApiClient) -> None:
    contacts = await asyncio.gather(*(join(demo, phone=PHONE, externalId="crm-17") for _ in range(10)))
    assert len({contact["id"] for contact in contacts}) == 1
    assert await demo.environment.runtime.db["contacts"].count_documents({}) == 1


async def test_at_the_same_moment_the_first_name_stays(demo: ApiClient) -> None:
    """A caller whose name was accepted must not find another's name there a moment later."""
    await join(demo, phone=PHONE)
    bodies = [{"phone": PHONE, "externalId": f"crm-{number}"} for number in range(10)]
    answers = await asyncio.gather(*(demo.post("/api/v1/contacts", names) for names in bodies))
    assert sorted(status for status, _ in answers) == [200] + [400] * 9
    (external_id,) = [answer["externalId"] for status, answer in answers if status == 200]
    assert (await join(demo, phone=PHONE))["externalId"] == external_id


async def test_a_deep_link_joins_the_chat_to_the_person(demo: ApiClient) -> None:
    contact = await join(demo, phone=PHONE, externalId="crm-17")
    await demo.say("telegram", f"/start {code_of(contact, 'telegram:demo')}")
    for destination in ({"phone": PHONE}, {"externalId": "crm-17"}, {"contactId": contact["id"]}):
        key = await demo.send(TELEGRAM, **destination)
        story = await demo.wait_for(key, "SENT")
        assert demo.answers("telegram")[-1].text == TELEGRAM["text"], destination
        assert story["attempts"][0]["channel"] == "telegram"
    assert len(demo.answers("telegram")) == 4


async def test_a_wrong_code_joins_nobody(demo: ApiClient) -> None:
    await join(demo, phone=PHONE)
    await demo.say("telegram", "/start no-such-code")
    story = await demo.wait_for(await demo.send(TELEGRAM), "UNDELIVERED")
    assert story["attempts"][0]["status"] == "SKIPPED"
    assert "has not started the bot" in story["attempts"][0]["reason"]


async def test_a_phone_that_the_messenger_tells_joins_too(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    contact = await join(demo, phone=PHONE)
    await demo.say("telegram", f"/start {contact['startCode']}")
    sessions = [document async for document in demo.environment.runtime.db["sessions"].find({"contact": contact["id"]})]
    assert sorted(session["address"]["channel"] for session in sessions) == ["telegram", "whatsapp"]

"""Tests numbers with several spellings: whichever is used, it is one person, with one window, order and opt-out."""

from typing import Any

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from gateway.domain.api.request import RequestError
from gateway.domain.model.identifier import identifier
from gateway.domain.model.phone import spellings
from gateway.people.spelling import normal_phone, reported_form
from tests.support.client import ApiClient
from tests.support.workload import accepted_messages, decisions_text, send_all

IDS = [
    pytest.param("5491123456789", "+541123456789", id="Argentina"),
    pytest.param("5215512345678", "+525512345678", id="Mexico"),
    pytest.param("554188887777", "+5541988887777", id="Brazil"),
    pytest.param("22995123456", "+2290195123456", id="Benin"),
    pytest.param("4915112345678", "+4915112345678", id="Germany"),
]
"""WhatsApp's id of a person, and how their number is dialled."""

WHATSAPP = {"channel": "whatsapp", "text": "Hi", "template": {"name": "order_update", "language": "en"}}
SMS = {"channel": "sms", "text": "Sale!"}


async def contact_of(demo: ApiClient, query: str) -> Any:
    async with demo.http.get(f"/api/v1/contacts?{query}") as response:
        assert response.status == 200, await response.text()
        return await response.json()


@pytest.mark.parametrize(("wa_id", "number"), IDS)
async def test_whoever_wrote_by_one_spelling_is_answered_by_the_other(demo: ApiClient, wa_id: str, number: str) -> None:
    """In the open window it goes as free text, to the id by which the person has written."""
    await demo.say("whatsapp", "/start", f"+{wa_id}")
    told = (await contact_of(demo, f"phone={number}"))["phone"]
    people = [{"phone": spelling} for spelling in (number, f"+{wa_id}", told)]
    for key in await send_all(demo, people, {"channel": "whatsapp", "text": "Hi"}):
        assert (await demo.wait_for(key, "DELIVERED", "READ"))["attempts"][0]["template"] is None
    assert {message.user for message in accepted_messages(demo, "whatsapp")} == {wa_id}
    assert await demo.environment.runtime.db["contacts"].count_documents({}) == 1
    assert (await demo.post("/api/v1/contacts", {"phone": number, "externalId": "crm-17"}))[1]["phone"] == told


@pytest.mark.parametrize(("wa_id", "number"), IDS)
async def test_an_opt_out_by_one_spelling_holds_for_the_other(demo: ApiClient, wa_id: str, number: str) -> None:
    await demo.post("/api/v1/optOuts", {"phone": f"+{wa_id}"})
    for spelling in (number, f"+{wa_id}"):
        (key,) = await send_all(demo, [{"phone": spelling}], SMS, category="marketing")
        assert "opted out of marketing" in decisions_text(await demo.wait_for(key, "UNDELIVERED"))
    async with demo.http.delete("/api/v1/optOuts", json={"phone": number}) as response:
        assert response.status == 200
    (key,) = await send_all(demo, [{"phone": f"+{wa_id}"}], SMS, category="marketing")
    await demo.wait_for(key, "DELIVERED")


@pytest.mark.parametrize(("wa_id", "number"), IDS)
async def test_what_was_stored_under_another_spelling_is_found(demo: ApiClient, wa_id: str, number: str) -> None:
    """As versions before this one stored it."""
    db, now = demo.environment.runtime.db, demo.environment.runtime.clock()
    await db["contacts"].insert_one(
        {"_id": "c1", "start_code": "s1", "created_at": now, "identifiers": [f"phone:+{wa_id}"], "version": 1}
    )
    opt_out = {"name": f"phone:+{wa_id}", "kind": "marketing", "at": now, "by": "API key demo", "out": True}
    await db["optouts"].insert_one({"_id": f"marketing:phone:+{wa_id}", **opt_out})
    assert (await contact_of(demo, f"phone={number}"))["id"] == "c1"
    (key,) = await send_all(demo, [{"phone": number}], SMS, category="marketing")
    await demo.wait_for(key, "UNDELIVERED")


def example_numbers() -> list[str]:
    """Return a mobile number, a landline, and one that may be either, of each country that has them."""
    kinds = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    examples = [
        phonenumbers.example_number_for_type(region, kind)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in kinds
    ]
    return [phonenumbers.format_number(example, PhoneNumberFormat.E164) for example in examples if example]


def test_every_number_has_one_form_that_can_be_sent_to_and_is_among_its_spellings() -> None:
    numbers = example_numbers()
    assert len(numbers) > 400
    for number in numbers:
        form = normal_phone(number, "RU")
        assert normal_phone(form, "RU") == form
        for spelling in spellings(identifier("phone", number)):
            assert reported_form(spelling) == identifier("phone", form), (number, spelling)


def test_a_number_to_which_nobody_can_be_sent_is_not_told() -> None:
    assert reported_form(identifier("phone", "+15551234567")) is None
    assert reported_form(identifier("loft", "7")) == identifier("loft", "7")


BESIDE = [
    "+7 999 123-45-67 ext 5",
    "+79991234567 доб. 5",
    "+79991234567, +79991234568",
    "+79991234567;+79991234568",
    "+79991234567 / +79991234568",
    "+7999 1234567;ext=5",
    "+79991234567#5",
    "+79991234567x5",
    "+79991234567 (Anna)",
    "Anna +79991234567",
    "7+9991234567",
    "+1 800 FLOWERS",
    *(
        "+49 30 123456/7",
        "030/123456/7",
        "+49 30 123456/78",
        "+49 30 1234567/8901",
        "+49 171 1234567 / 8",
        "+7 999 1234567/8",
    ),
]
"""Texts with one number, and with something that would be lost, or taken for a part of it."""

SLASHES = [
    ("030/123456", "DE", "+4930123456"),
    ("+49/30/123456-0", "DE", "+49301234560"),
    ("+49 (0) 30 / 12 34 56", "DE", "+4930123456"),
    ("033051/1234", "DE", "+49330511234"),
    ("0475/12.34.56", "BE", "+32475123456"),
    ("01/23/45/67/89", "FR", "+33123456789"),
    ("415/555/2671", "US", "+14155552671"),
    ("8(999)/123/45/67", "RU", "+79991234567"),
]

ALONE = [
    "+7 (999) 123-45-67",
    "8 999 123 45 67",
    "+7\u2011999\u2011123\u201145\u201167",
    "\u202a+7\u00a0999\u00a01234567\u202c",
    "tel:+79991234567",
    "(+7) 999.123.45.67",
    "８９９９１２３４５６７",
]


@pytest.mark.parametrize("text", BESIDE)
def test_what_stands_beside_a_number_is_a_mistake(text: str) -> None:
    with pytest.raises(RequestError) as error:
        normal_phone(text, "RU")
    assert (error.value.code, error.value.field) == ("bad_phone", "phone")


@pytest.mark.parametrize(("text", "region", "number"), SLASHES)
def test_a_slash_behind_an_area_code_or_a_group_parts_nothing(text: str, region: str, number: str) -> None:
    assert normal_phone(text, region) == number


@pytest.mark.parametrize("text", ALONE)
def test_one_number_as_people_write_it(text: str) -> None:
    assert normal_phone(text, "RU") == "+79991234567"


@pytest.mark.parametrize("text", BESIDE[:3])
async def test_the_mistake_is_that_of_one_destination_and_of_one_row(demo: ApiClient, text: str) -> None:
    destinations = [{"phone": "+79000000001"}, {"phone": text}]
    _, answer = await demo.post("/api/v1/messages", {"messages": [{"destinations": destinations, "channels": [SMS]}]})
    assert [item.get("error", {}).get("field") for item in answer["messages"]] == [
        None,
        "messages[0].destinations[1].phone",
    ]
    _, job = await demo.post("/api/v1/jobs", {"name": "One", "kind": "universal", "channels": [SMS]})
    table = f'phone;name\n+79000000001;Anna\n"{text}";Boris\n'.encode()
    async with demo.http.post(f"/api/v1/jobs/{job['id']}/rows", data=table) as response:
        faults = (await response.json())["faults"]
    assert [(fault["row"], fault["column"]) for fault in faults] == [(3, "phone")]


async def test_a_number_of_another_country_without_its_plus_is_an_error_and_not_nobody(demo: ApiClient) -> None:
    for path in ("contacts", "optOuts"):
        async with demo.http.get(f"/api/v1/{path}?phone=541123456799") as response:
            assert (response.status, (await response.json())["details"]["field"]) == (400, "phone"), path


@pytest.mark.parametrize("number", ["+541123456789", "+4915112345678", "+79000000001", "+15417543010"])
@pytest.mark.parametrize("path", ["contacts?phone=", "contacts?identifier=phone:", "optOuts?phone=", "messages?phone="])
async def test_a_plus_that_was_not_encoded_is_understood(demo: ApiClient, path: str, number: str) -> None:
    await demo.post("/api/v1/contacts", {"phone": number})
    await demo.post("/api/v1/optOuts", {"phone": number})
    await send_all(demo, [{"phone": number}], SMS)
    async with demo.http.get(f"/api/v1/{path}{number}") as response:
        assert response.status == 200, await response.text()
        body = await response.json()
    assert body.get("phone") or body.get("optOuts") or body.get("messages"), body

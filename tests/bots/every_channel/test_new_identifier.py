"""A kind of identifier that only one channel knows: people are named, found, listed, merged and opted out by it.

Nothing outside of tests/bots/pigeon has heard of lofts. Content has a subject for the channels that show one.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

import bots
from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient, until
from tests.support.jobs import create_draft, move, row_results, table, upload
from webhooks.demo.environment import opened_environment

LOFT = "loft:old-mill"
PIGEON = {"channel": "pigeon", "text": "Your order has been sent."}
SMS = {"channel": "sms", "text": "Order sent."}


@pytest.fixture
async def demo(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ApiClient]:
    monkeypatch.setitem(bots.CHANNELS, "pigeon", "tests.bots.pigeon")
    async with opened_environment(settings) as environment, ApiClient.of(environment) as client:
        yield client


async def get(demo: ApiClient, path: str, **query: str) -> Any:
    async with demo.http.get(f"/api/v1/{path}", params=query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


def letters(demo: ApiClient) -> list[str]:
    """Return what has been delivered at the old mill."""
    screen = demo.environment.simulators["pigeon"].phone("old-mill").screen
    return [bubble.text for bubble in screen if not bubble.mine]


async def test_a_message_reaches_a_person_by_it_alone(demo: ApiClient) -> None:
    story = await demo.wait_for(await demo.send(PIGEON, SMS, identifier=LOFT), "DELIVERED")
    assert [attempt["channel"] for attempt in story["attempts"]] == ["pigeon"]
    assert story["recipient"]["identifiers"] == [LOFT]
    assert letters(demo) == [PIGEON["text"]]


async def test_other_channels_say_that_they_do_not_reach_it(demo: ApiClient) -> None:
    story = await demo.wait_for(await demo.send(SMS, PIGEON, identifier=LOFT), "DELIVERED")
    assert story["attempts"][0]["reason"] == "sms: no phone number is known"


async def test_and_it_says_so_of_them(demo: ApiClient) -> None:
    story = await demo.wait_for(await demo.send(PIGEON, SMS), "DELIVERED")
    assert story["attempts"][0]["reason"] == "pigeon: no loft is known"


async def test_messages_are_found_by_it(demo: ApiClient) -> None:
    key = await demo.send(PIGEON, identifier=LOFT)
    await demo.send(SMS)
    rows = (await get(demo, "messages", identifier=LOFT))["messages"]
    assert [(row["id"], row["identifiers"]) for row in rows] == [(key, [LOFT])]


async def test_whoever_writes_is_the_contact_of_it(demo: ApiClient) -> None:
    await demo.environment.simulators["pigeon"].say("old-mill", "/start")

    async def contact() -> Any:
        async with demo.http.get("/api/v1/contacts", params={"identifier": LOFT}) as response:
            return await response.json() if response.status == 200 else None

    assert (await until(contact))["identifiers"] == [LOFT]


async def test_joined_to_a_number_it_reaches_whom_the_number_names(demo: ApiClient) -> None:
    status, contact = await demo.post("/api/v1/contacts", {"phone": PHONE, "identifier": LOFT})
    assert (status, contact["identifiers"]) == (200, [f"phone:{PHONE}", LOFT])
    await demo.wait_for(await demo.send(PIGEON, phone=PHONE), "DELIVERED")
    assert letters(demo) == [PIGEON["text"]]


async def test_two_contacts_are_merged_with_it(demo: ApiClient) -> None:
    _, by_phone = await demo.post("/api/v1/contacts", {"phone": PHONE})
    _, by_loft = await demo.post("/api/v1/contacts", {"identifier": LOFT})
    status, merged = await demo.post(f"/api/v1/contacts/{by_phone['id']}/merge", {"contactId": by_loft["id"]})
    assert (status, merged["identifiers"]) == (200, [f"phone:{PHONE}", LOFT])
    assert (await get(demo, "contacts", identifier=LOFT))["id"] == by_phone["id"]


async def test_one_persons_is_not_anothers(demo: ApiClient) -> None:
    await demo.post("/api/v1/contacts", {"identifier": LOFT})
    _, other = await demo.post("/api/v1/contacts", {"phone": PHONE})
    async with demo.http.patch(f"/api/v1/contacts/{other['id']}", json={"identifier": LOFT}) as response:
        assert (response.status, (await response.json())["details"]["field"]) == (409, "identifier")
    status, conflict = await demo.post("/api/v1/contacts", {"phone": PHONE, "identifier": LOFT})
    assert (status, conflict["details"]["code"]) == (400, "two_people")


async def test_an_opt_out_under_it_holds(demo: ApiClient) -> None:
    await demo.post("/api/v1/optOuts", {"identifier": LOFT})
    body = {"destinations": [{"identifier": LOFT}], "channels": [PIGEON], "category": "marketing"}
    _, response = await demo.post("/api/v1/messages", {"messages": [body]})
    story = await demo.wait_for(response["messages"][0]["id"], "UNDELIVERED")
    assert "opted out of marketing" in story["attempts"][0]["reason"]
    assert [opt_out["person"] for opt_out in (await get(demo, "optOuts", identifier=LOFT))["optOuts"]] == [LOFT]
    assert letters(demo) == []


async def test_a_jobs_rows_may_name_people_by_it(demo: ApiClient) -> None:
    key = (await create_draft(demo, channels=[{"channel": "pigeon", "text": "Hi {{name}}"}]))["id"]
    status, response = await upload(demo, key, table(["identifier", "name"], [LOFT, "Anna"], ["cloud:7", "Boris"]))
    assert (status, response["faults"]) == (200, [])
    await move(demo, key, "start")

    async def delivered() -> bool:
        return [row["status"] for row in await row_results(demo, key)][:1] == ["DELIVERED"]

    await until(delivered)
    assert letters(demo) == ["Hi Anna"]
    assert "identifiers of the kinds" in (await row_results(demo, key))[1]["fault"]


@pytest.mark.parametrize(
    ("identifier", "code"), [("cloud:7", "unknown_kind"), ("loft:", "invalid"), ("loft", "invalid"), (":7", "invalid")]
)
async def test_what_is_no_identifier_is_refused(demo: ApiClient, identifier: str, code: str) -> None:
    body = {"destinations": [{"identifier": identifier}], "channels": [PIGEON]}
    _, response = await demo.post("/api/v1/messages", {"messages": [body]})
    error = response["messages"][0]["error"]
    assert (error["code"], error["field"]) == (code, "messages[0].destinations[0].identifier")


async def test_a_number_is_the_same_however_it_is_written(demo: ApiClient) -> None:
    _, contact = await demo.post("/api/v1/contacts", {"identifier": "phone:8 900 000-00-01", "email": "Anna@Shop.RU"})
    assert contact["identifiers"] == ["email:anna@shop.ru", f"phone:{PHONE}"]
    assert (await get(demo, "contacts", email="anna@SHOP.ru"))["id"] == contact["id"]
    assert (await get(demo, "contacts", phone=PHONE))["id"] == contact["id"]


async def test_a_subject_is_shown_where_there_is_one_and_warned_of_where_not(demo: ApiClient) -> None:
    steps = [{**PIGEON, "subject": "Order {{n}}"}, {**SMS, "subject": "Order", "html": "<b>Order</b>"}]
    body = {"destinations": [{"identifier": LOFT, "variables": {"n": 7}}], "channels": steps}
    _, response = await demo.post("/api/v1/messages", {"messages": [body]})
    (item,) = response["messages"]
    assert item["warnings"] == [
        "channels[1]: people on sms do not see `subject`, so it is not used",
        "channels[1]: people on sms do not see `html`, so it is not used",
    ]
    await demo.wait_for(item["id"], "DELIVERED")
    assert letters(demo) == [f"Order 7\n{PIGEON['text']}"]

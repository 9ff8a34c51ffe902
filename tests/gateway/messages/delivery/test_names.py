"""One person under several names: their messages keep one order, and only what is urgent leaves it."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient, until
from tests.support.jobs import create_job, move, row_results
from tests.support.workload import accepted_messages, another_worker, send_all, texts

FREE = {"account": "none", "person": "none"}
MANY = 24
FLOOD = 9
"""VK's error for too much to one person: that message waits, and the account does not."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Remove the rate limits."""
    return replace(settings, limits={"telegram:demo": FREE, "vk:demo": FREE})


async def open_chat(demo: ApiClient, channel: str, **names: str) -> list[dict[str, Any]]:
    """Create a contact with these names, and let the person start a chat. Returns all destinations that mean them."""
    status, contact = await demo.post("/api/v1/contacts", names)
    assert status == 200, contact
    simulator = demo.environment.simulators[channel]
    await demo.say(channel, f"/start {contact['startCode']}")
    chat = f"{channel}:demo:{simulator.user_of(PHONE)}"
    return [*({name: value} for name, value in names.items()), {"contactId": contact["id"]}, {"chatSessionId": chat}]


@pytest.mark.parametrize("names", [{"phone": PHONE, "externalId": "crm-1"}, {"email": "a@b.ru", "externalId": "crm-1"}])
async def test_one_person_named_in_turn_by_every_name_keeps_one_order(demo: ApiClient, names: dict[str, str]) -> None:
    """Two workers share the messages, and the provider puts off one in between."""
    destinations = await open_chat(demo, "telegram", **names)
    before = len(texts(demo, "telegram"))
    demo.environment.simulators["telegram"].faults.planned.extend(["", "", "429"])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(another_worker(demo))
        for number in range(MANY):
            destination = destinations[number % len(destinations)]
            await send_all(demo, [destination], {"channel": "telegram", "text": str(number)}, priority="normal")

        async def all_texts() -> list[str]:
            received = texts(demo, "telegram")[before:]
            return received if len(received) >= MANY else []

        assert await until(all_texts) == [str(number) for number in range(MANY)]


async def test_what_is_urgent_does_not_wait_behind_a_mailing_to_the_same_person(demo: ApiClient) -> None:
    _, by_external_id, by_contact, by_chat = await open_chat(demo, "vk", phone=PHONE, externalId="crm-1")
    before = len(texts(demo, "vk"))
    demo.environment.simulators["vk"].faults.fail(FLOOD)
    job = await create_job(demo, [PHONE], channels=[{"channel": "vk", "text": "mailing"}])
    await move(demo, job, "start")
    await demo.wait_for_attempt(await until(lambda: _first_row(demo, job)), "vk", "PENDING", cause="unavailable")
    more, urgent = [
        (await send_all(demo, [name], {"channel": "vk", "text": priority}, priority=priority))[0]
        for name, priority in ((by_external_id, "bulk"), (by_contact, "urgent"))
    ]
    await demo.wait_for_decision(more, "vk: an earlier message to this person goes first")
    await demo.wait_for(urgent, "SENT")
    (reply,) = await send_all(demo, [by_chat], {"channel": "vk", "text": "normal"}, priority="normal")
    await demo.wait_for(reply, "SENT")
    assert [line.text for line in accepted_messages(demo, "vk")][before:] == ["urgent", "normal"]
    for _ in range(4):
        demo.pass_time(hours=0.1)
        demo.environment.runtime.outbox_bell.set()
    await demo.wait_for(more, "SENT")
    assert [line.text for line in accepted_messages(demo, "vk")][before:] == ["urgent", "normal", "mailing", "bulk"]


async def _first_row(demo: ApiClient, job: str) -> str:
    """Return the id of the message to the first row's person, or "" before there is one."""
    rows = await row_results(demo, job)
    return str((rows[0].get("messageId") or "") if rows else "")

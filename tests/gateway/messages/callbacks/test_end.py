"""Tests what callers are told of a message's end: once, last, and with how it ended; each attempt that left is told."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bots.simulation.faults import RandomFaults
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import CallbackReceiver, opened_callback_receiver
from tests.support.workload import advance_clock, cancel, open_conversations, phones, send_all, send_one, whatsapp

WANTS_READ = {"channel": "whatsapp", "text": "Hi", "success": "read", "fallbackAfter": "PT10S"}
SMS = {"channel": "sms", "text": "Hi"}
OUT = {"UNKNOWN", "SENT", "DELIVERED", "READ"}


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    async with opened_callback_receiver() as receiver:
        yield receiver


def summary(events: list[Any]) -> list[tuple[Any, ...]]:
    """Return of each event whose it is, the message's status, that of the step, and whether it is the end."""
    names = ("channel", "newStatus", "stepStatus")
    return [(*(event[name] for name in names), event["finishedAt"] is not None) for event in events]


async def end_of(receiver: CallbackReceiver, key: str) -> Any:
    """Wait until the end of the message is told. Returns that event."""

    async def end() -> Any:
        return next((event for event in receiver.events_of(key) if event["finishedAt"]), None)

    return await until(end)


async def test_after_a_fallback_the_end_is_that_of_the_last_step(demo: ApiClient, receiver: CallbackReceiver) -> None:
    people = await open_conversations(demo, "whatsapp", phones(1))
    whatsapp(demo).phone(whatsapp(demo).user_of(people[0]["phone"])).reads = False
    told_all = (await send_all(demo, people, WANTS_READ, SMS, callbackUrl=receiver.url))[0]
    told_end = (await send_all(demo, people, WANTS_READ, SMS, callbackUrl=receiver.url, callbackEvents="final"))[0]
    for key in (told_all, told_end):
        await demo.wait_for_attempt(key, "whatsapp", "DELIVERED")
    assert receiver.events_of(told_end) == []
    assert (await demo.story(told_end))["finishedAt"] is None
    advance_clock(demo, seconds=11)
    end = await end_of(receiver, told_all)
    assert summary(receiver.events_of(told_all)) == [
        ("whatsapp", "PENDING", "PENDING", False),
        ("whatsapp", "SENT", "SENT", False),
        ("whatsapp", "DELIVERED", "DELIVERED", False),
        ("sms", "DELIVERED", "SENT", False),
        ("sms", "DELIVERED", "DELIVERED", False),
        ("sms", "DELIVERED", "DELIVERED", True),
    ]
    await end_of(receiver, told_end)
    assert summary(receiver.events_of(told_end)) == [("sms", "DELIVERED", "DELIVERED", True)]
    story = await demo.story(told_all)
    assert (story["reason"], story["finishedAt"]) == ("sms: delivered", end["finishedAt"])
    assert end["reason"] == "sms: delivered"


async def test_where_nothing_is_reported_the_send_is_the_end(demo: ApiClient, receiver: CallbackReceiver) -> None:
    people = await open_conversations(demo, "telegram", phones(1))
    step = {"channel": "telegram", "text": "Hi"}
    (key,) = await send_all(demo, people, step, callbackUrl=receiver.url, callbackEvents="final")
    await end_of(receiver, key)
    assert summary(receiver.events_of(key)) == [("telegram", "SENT", "SENT", True)]


async def test_a_receipt_that_never_comes_is_waited_for_until_the_validity_ends(
    demo: ApiClient, receiver: CallbackReceiver
) -> None:
    people = await open_conversations(demo, "whatsapp", phones(1))
    whatsapp(demo).hold_receipts = True
    step = {"channel": "whatsapp", "text": "Hi"}
    (key,) = await send_all(demo, people, step, callbackUrl=receiver.url, validityPeriod=60)
    story = await demo.wait_for(key, "SENT")
    assert story["finishedAt"] is None
    assert story["reason"] == "whatsapp: sent; there is no further step; waiting for delivered"
    advance_clock(demo, minutes=61)
    end = await end_of(receiver, key)
    assert (end["newStatus"], end["reason"]) == ("SENT", "whatsapp: sent; there is no further step")
    whatsapp(demo).release_receipts()
    story = await demo.wait_for(key, "READ")
    await until(lambda: has_told(receiver, key, "READ"))
    assert summary(receiver.events_of(key))[-1] == ("whatsapp", "READ", "READ", False)
    assert sum(event["finishedAt"] is not None for event in receiver.events_of(key)) == 1
    assert story["finishedAt"] == end["finishedAt"]


async def has_told(receiver: CallbackReceiver, key: str, status: str) -> bool:
    return any(event["newStatus"] == status for event in receiver.events_of(key))


async def test_cancelling_ends_the_wait_for_receipts(demo: ApiClient, receiver: CallbackReceiver) -> None:
    await open_conversations(demo, "whatsapp", [{"phone": PHONE}])
    whatsapp(demo).hold_receipts = True
    key = await send_one(demo, {"channel": "whatsapp", "text": "Hi"}, callbackUrl=receiver.url, callbackEvents="final")
    await demo.wait_for(key, "SENT")
    await cancel(demo, id=key)
    await end_of(receiver, key)
    assert summary(receiver.events_of(key)) == [("whatsapp", "SENT", "SENT", True)]


async def test_the_laws_of_callbacks_hold_while_providers_misbehave(
    demo: ApiClient, receiver: CallbackReceiver
) -> None:
    """Answers and receipts are lost, late, doubled and out of order."""
    chance = random.Random(5)
    people = await open_conversations(demo, "whatsapp", phones(30))
    people = await open_conversations(demo, "telegram", people)
    for channel, simulator in demo.environment.simulators.items():
        simulator.faults.random_faults = FAULTS
        simulator.faults.random = random.Random(channel)
        for person in people:
            phone = simulator.phone(simulator.user_of(person["phone"]))
            phone.reads, phone.reachable = chance.random() < 0.5, chance.random() < 0.8
    keys = [key for person in people for key in await send_all(demo, [person], *cascade(chance), **terms(receiver))]
    ends = [
        key for person in people for key in await send_all(demo, [person], *cascade(chance), **terms(receiver, "final"))
    ]

    async def all_ended() -> bool:
        advance_clock(demo, seconds=30)
        demo.environment.runtime.callback_bell.set()
        return all(any(event["finishedAt"] for event in receiver.events_of(key)) for key in [*keys, *ends])

    await until(all_ended)
    for key in keys:
        obeys_the_laws(receiver.events_of(key), await demo.story(key))
    for key in ends:
        (end,) = receiver.events_of(key)
        assert end["newStatus"] not in {"NEW", "PENDING"}


FAULTS = RandomFaults(broken=0.1, lost_answer=0.1, twice=0.3, late=0.3, latest=0.5, lost=0.1)


def cascade(chance: random.Random) -> list[dict[str, Any]]:
    """Return one to three steps with terms of all kinds."""
    steps: list[dict[str, Any]] = [
        {**WANTS_READ, "success": chance.choice(["sent", "delivered", "read"])},
        {"channel": "telegram", "text": "Hi", "fallbackAfter": "PT10S"},
        {**SMS, "required": chance.random() < 0.2},
    ]
    return chance.sample(steps, chance.randint(1, 3))


def terms(receiver: CallbackReceiver, wanted: str = "all") -> dict[str, Any]:
    return {"callbackUrl": receiver.url, "callbackEvents": wanted, "validityPeriod": 5}


def obeys_the_laws(events: list[Any], story: Any) -> None:
    """Assert that the events follow each other, name each attempt that left, and tell one end."""
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert [event["oldStatus"] for event in events] == ["NEW", *(event["newStatus"] for event in events[:-1])]
    told = {(event["channel"], event["stepStatus"]) for event in events}
    assert {(a["channel"], a["status"]) for a in story["attempts"] if a["status"] in OUT} <= told
    assert sum(event["finishedAt"] is not None for event in events) == 1

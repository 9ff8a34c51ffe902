"""Tests cancelling: unsent messages never leave; for others the answer says how far they are, and no step follows."""

import asyncio
import random
from datetime import timedelta
from functools import partial
from typing import Any

from tests.support.client import PHONE, ApiClient, until
from tests.support.http.barrier import AnswerGate
from tests.support.workload import (
    SMS,
    advance_clock,
    attempt_statuses,
    cancel,
    phones,
    post_message,
    send_all,
    send_one,
    texts,
    wait_for_all,
    wait_for_worker,
    whatsapp,
)

NEWS = {"channel": "sms", "text": "News"}
WHATSAPP = {"channel": "whatsapp", "text": "News", "fallbackAfter": "PT10M"}
ROUNDS = 40


def in_an_hour(demo: ApiClient) -> str:
    return (demo.environment.runtime.clock() + timedelta(hours=1)).isoformat()


async def cancel_results(demo: ApiClient, **selector: Any) -> list[tuple[str, str | None]]:
    """Cancel these twice, which has to give the same answer. Returns result and reason of each."""
    status, answer = await cancel(demo, **selector)
    assert (status, answer) == await cancel(demo, **selector)
    assert status == 200, answer
    return [(item["result"], item["reason"]) for item in answer["messages"]]


async def quiet_whatsapp(demo: ApiClient, **fields: Any) -> str:
    """Send a message that WhatsApp accepts without any receipt, with an SMS as the fallback. Returns its id."""
    await demo.say("whatsapp", "/start")
    whatsapp(demo).hold_receipts = True
    key = await send_one(demo, WHATSAPP, SMS, **fields)
    await demo.wait_for(key, "SENT")
    return key


async def test_what_is_scheduled_never_leaves(demo: ApiClient) -> None:
    key = await send_one(demo, NEWS, sendAt=in_an_hour(demo))
    assert await cancel_results(demo, id=key) == [("cancelled", None)]
    advance_clock(demo, hours=2)
    await wait_for_worker(demo)
    story = await demo.story(key)
    assert (story["status"], story["reason"], story["nextAt"]) == ("CANCELLED", "cancelled by the caller", None)
    assert story["cancelledAt"]
    assert "News" not in texts(demo, "sms")


async def test_what_waits_for_its_hours_never_leaves(demo: ApiClient) -> None:
    hour = demo.environment.runtime.clock() + timedelta(hours=2)
    opens = [[f"{hour:%H:%M}", f"{hour + timedelta(hours=1):%H:%M}"]]
    key = await send_one(demo, NEWS, allowedTimeRanges=opens, timezone="UTC")
    await demo.wait_for(key, "DELAYED")
    assert await cancel_results(demo, id=key) == [("cancelled", None)]
    advance_clock(demo, hours=2.5)
    await wait_for_worker(demo)
    assert "News" not in texts(demo, "sms")


async def test_what_is_to_be_tried_again_never_leaves(demo: ApiClient) -> None:
    demo.environment.simulators["sms"].faults.fail(20429)
    key = await send_one(demo, NEWS)
    await demo.wait_for_attempt(key, "sms", "PENDING", cause="unavailable")
    assert await cancel_results(demo, id=key) == [("cancelled", None)]
    advance_clock(demo, minutes=10)
    await wait_for_worker(demo)
    assert "News" not in texts(demo, "sms")


async def test_a_group_and_a_thousand_of_one_bulk(demo: ApiClient) -> None:
    group = await send_all(demo, phones(3), NEWS, groupId="g", sendAt=in_an_hour(demo))
    bulk = await post_message(demo, phones(1000), NEWS, bulk="b", sendAt=in_an_hour(demo))
    assert {item["bulkId"] for item in bulk} == {"b"}
    assert await cancel_results(demo, groupId="g") == [("cancelled", None)] * 3
    assert (await demo.story(bulk[0]["id"]))["status"] == "SCHEDULED"
    assert await cancel_results(demo, bulkId="b") == [("cancelled", None)] * 1000
    statuses = {(await demo.story(key))["status"] for key in [*group, *(item["id"] for item in bulk[::100])]}
    assert statuses == {"CANCELLED"}
    advance_clock(demo, hours=2)
    await wait_for_worker(demo)
    assert "News" not in texts(demo, "sms")


async def test_what_was_sent_has_left_and_no_fallback_follows(demo: ApiClient) -> None:
    key = await quiet_whatsapp(demo)
    assert await cancel_results(demo, id=key) == [("tooLate", "whatsapp: it was sent; no further step is taken")]
    advance_clock(demo, minutes=20)
    await wait_for_worker(demo)
    story = await demo.story(key)
    assert (story["status"], attempt_statuses(story), story["nextAt"]) == ("SENT", [("whatsapp", "SENT")], None)
    assert SMS["text"] not in texts(demo, "sms")


async def test_what_a_provider_has_failed_to_bring_has_not_left(demo: ApiClient) -> None:
    """The SMS fallback waits for the morning, so nobody has received anything, and nobody will."""
    whatsapp(demo).phone(whatsapp(demo).user_of(PHONE)).reachable = False
    evening = demo.environment.runtime.clock() + timedelta(minutes=9)
    hours = [[f"{evening - timedelta(hours=1):%H:%M}", f"{evening:%H:%M}"]]
    key = await quiet_whatsapp(demo, allowedTimeRanges=hours, timezone="UTC", validityPeriod=2880)
    advance_clock(demo, minutes=9)
    whatsapp(demo).release_receipts()
    await demo.wait_for_decision(key, "sms: outside of the allowed hours")
    assert await cancel_results(demo, id=key) == [("cancelled", None)]
    assert attempt_statuses(await demo.wait_for(key, "UNDELIVERED")) == [("whatsapp", "UNDELIVERED")]


async def test_what_is_being_sent_is_told_and_not_followed(demo: ApiClient) -> None:
    demo.environment.simulators["sms"].faults = gate = AnswerGate()
    key = await send_one(demo, NEWS)
    await gate.arrived.wait()
    reason = "sms: it is being sent at this moment; no further step is taken"
    assert await cancel_results(demo, id=key) == [("tooLate", reason)]
    gate.opened.set()
    assert attempt_statuses(await demo.wait_for(key, "DELIVERED")) == [("sms", "DELIVERED")]


async def test_what_may_have_been_sent_is_told(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    whatsapp(demo).hold_receipts = True
    whatsapp(demo).faults.lose_answers()
    key = await send_one(demo, WHATSAPP, SMS)
    await demo.wait_for_attempt(key, "whatsapp", "UNKNOWN")
    assert await cancel_results(demo, id=key) == [
        ("tooLate", "whatsapp: it may have been sent; no further step is taken")
    ]
    await demo.wait_for(key, "UNDELIVERED")
    advance_clock(demo, minutes=20)
    await wait_for_worker(demo)
    assert SMS["text"] not in texts(demo, "sms")


async def test_a_text_of_which_a_part_arrived_has_left(demo: ApiClient) -> None:
    """A second request has the same answer, although nothing follows."""
    await demo.say("whatsapp", "/start")
    whatsapp(demo).hold_receipts = True
    whatsapp(demo).faults.planned.extend(["", "130429"])
    key = await send_one(demo, {**WHATSAPP, "text": "a" * 4000 + "\n" + "b" * 4000})
    await demo.wait_for_attempt(key, "whatsapp", "PENDING", cause="unavailable")
    first = await cancel_results(demo, id=key)
    assert first == [("tooLate", "whatsapp: a part of it was sent; no further step is taken")]
    advance_clock(demo, minutes=1)
    await wait_for_worker(demo)
    assert await cancel_results(demo, id=key) == first
    assert [text[0] for text in texts(demo, "whatsapp")[1:]] == ["a"]


async def test_what_has_ended_stays_as_it_is(demo: ApiClient) -> None:
    delivered_key = await send_one(demo, NEWS)
    await demo.wait_for(delivered_key, "DELIVERED")
    assert await cancel_results(demo, id=delivered_key) == [("tooLate", "sms: it was delivered")]
    expired_key = await send_one(demo, NEWS, sendAt=in_an_hour(demo), validityPeriod=1)
    advance_clock(demo, hours=2)
    await demo.wait_for(expired_key, "EXPIRED")
    assert await cancel_results(demo, id=expired_key) == [("tooLate", "it is EXPIRED already")]
    assert (await demo.story(expired_key))["cancelledAt"] is None


async def test_a_wish_that_names_nothing_or_too_much(demo: ApiClient) -> None:
    assert (await cancel(demo, id="nobody"))[0] == 404
    assert (await cancel(demo, bulkId="nobody"))[0] == 404
    for selector in ({}, {"id": "a", "groupId": "b"}, {"id": ""}, {"ids": ["a"]}):
        status, answer = await cancel(demo, **selector)
        assert (status, set(answer)) == (400, {"error", "details"})


async def test_the_answer_and_the_providers_book_agree_whoever_is_faster(demo: ApiClient) -> None:
    """Each message is cancelled some moments after its acceptance, or as soon as its sending has begun."""
    random.seed(1)
    people = phones(ROUNDS)

    async def play(number: int) -> tuple[str, str]:
        text = f"News {number}"
        (key,) = await send_all(demo, [people[number]], {"channel": "sms", "text": text})
        if number % 2:
            await asyncio.sleep(random.uniform(0, 0.4))
        else:
            await until(partial(_has_attempts, demo, key))
        (item,) = (await cancel(demo, id=key))[1]["messages"]
        return key, item["result"]

    outcomes = await asyncio.gather(*(play(number) for number in range(ROUNDS)))
    stories = await wait_for_all(demo, [key for key, _ in outcomes], "DELIVERED", "CANCELLED")
    too_late = [result == "tooLate" for _, result in outcomes]
    sent_texts = texts(demo, "sms")
    assert [sent_texts.count(f"News {number}") for number in range(ROUNDS)] == [int(is_late) for is_late in too_late]
    assert [story["status"] == "DELIVERED" for story in stories] == too_late
    assert any(too_late)


async def _has_attempts(demo: ApiClient, key: str) -> bool:
    return bool((await demo.story(key))["attempts"])

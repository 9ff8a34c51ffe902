"""Cancelling: what has not left never leaves; of what has, the caller hears how far it is, and nothing follows it."""

import asyncio
import random
from datetime import timedelta
from functools import partial
from typing import Any

from tests.support.client import PHONE, Player, until
from tests.support.workload import (
    SMS,
    accepted,
    all_ended,
    ask,
    cancel,
    later,
    looked_around,
    one,
    phones,
    texts,
    tried,
    whatsapp,
)

NEWS = {"channel": "sms", "text": "News"}
WHATSAPP = {"channel": "whatsapp", "text": "News", "fallbackAfter": "PT10M"}
ROUNDS = 40


def soon(town: Player) -> str:
    return (town.town.runtime.clock() + timedelta(hours=1)).isoformat()


async def cancelled(town: Player, **named: Any) -> list[tuple[str, str | None]]:
    """Cancel these; for each what came of it and why. The same question has the same answer."""
    status, answer = await cancel(town, **named)
    assert (status, answer) == await cancel(town, **named)
    assert status == 200, answer
    return [(item["result"], item["reason"]) for item in answer["messages"]]


async def quiet_whatsapp(town: Player, **fields: Any) -> str:
    """A message that WhatsApp has taken and says nothing more of, with an SMS behind it."""
    await town.say("whatsapp", "/start")
    whatsapp(town).hold_receipts = True
    key = await one(town, WHATSAPP, SMS, **fields)
    await town.ended(key, "SENT")
    return key


async def test_what_is_scheduled_never_leaves(town: Player) -> None:
    key = await one(town, NEWS, sendAt=soon(town))
    assert await cancelled(town, id=key) == [("cancelled", None)]
    later(town, hours=2)
    await looked_around(town)
    story = await town.story(key)
    assert (story["status"], story["reason"], story["nextAt"]) == ("CANCELLED", "cancelled by the caller", None)
    assert story["cancelledAt"]
    assert "News" not in texts(town, "sms")


async def test_what_waits_for_its_hours_never_leaves(town: Player) -> None:
    hour = town.town.runtime.clock() + timedelta(hours=2)
    opens = [[f"{hour:%H:%M}", f"{hour + timedelta(hours=1):%H:%M}"]]
    key = await one(town, NEWS, allowedTimeRanges=opens, timezone="UTC")
    await town.ended(key, "DELAYED")
    assert await cancelled(town, id=key) == [("cancelled", None)]
    later(town, hours=2.5)
    await looked_around(town)
    assert "News" not in texts(town, "sms")


async def test_what_is_to_be_tried_again_never_leaves(town: Player) -> None:
    town.town.simulators["sms"].faults.fail(20429)
    key = await one(town, NEWS)
    await town.attempted(key, "sms", "PENDING", cause="unavailable")
    assert await cancelled(town, id=key) == [("cancelled", None)]
    later(town, minutes=10)
    await looked_around(town)
    assert "News" not in texts(town, "sms")


async def test_a_group_and_a_thousand_of_one_bulk(town: Player) -> None:
    group = await accepted(town, phones(3), NEWS, groupId="g", sendAt=soon(town))
    bulk = await ask(town, phones(1000), NEWS, bulk="b", sendAt=soon(town))
    assert {item["bulkId"] for item in bulk} == {"b"}
    assert await cancelled(town, groupId="g") == [("cancelled", None)] * 3
    assert (await town.story(bulk[0]["id"]))["status"] == "SCHEDULED"
    assert await cancelled(town, bulkId="b") == [("cancelled", None)] * 1000
    statuses = {(await town.story(key))["status"] for key in [*group, *(item["id"] for item in bulk[::100])]}
    assert statuses == {"CANCELLED"}
    later(town, hours=2)
    await looked_around(town)
    assert "News" not in texts(town, "sms")


async def test_what_was_sent_has_left_and_no_fallback_follows(town: Player) -> None:
    key = await quiet_whatsapp(town)
    assert await cancelled(town, id=key) == [("tooLate", "whatsapp: it was sent; no further step is taken")]
    later(town, minutes=20)
    await looked_around(town)
    story = await town.story(key)
    assert (story["status"], tried(story), story["nextAt"]) == ("SENT", [("whatsapp", "SENT")], None)
    assert SMS["text"] not in texts(town, "sms")


async def test_what_a_provider_has_failed_to_bring_has_not_left(town: Player) -> None:
    """The SMS behind it waits for the morning: nobody has anything yet, and nobody will."""
    whatsapp(town).phone(whatsapp(town).user_of(PHONE)).reachable = False
    evening = town.town.runtime.clock() + timedelta(minutes=9)
    hours = [[f"{evening - timedelta(hours=1):%H:%M}", f"{evening:%H:%M}"]]
    key = await quiet_whatsapp(town, allowedTimeRanges=hours, timezone="UTC", validityPeriod=2880)
    later(town, minutes=9)
    whatsapp(town).release_receipts()
    await town.decided(key, "sms: outside of the allowed hours")
    assert await cancelled(town, id=key) == [("cancelled", None)]
    assert tried(await town.ended(key, "UNDELIVERED")) == [("whatsapp", "UNDELIVERED")]


async def test_what_is_being_sent_is_told_and_not_followed(town: Player) -> None:
    simulator = town.town.simulators["sms"]
    simulator.faults.answer_after = 1
    key = await one(town, NEWS)
    await town.attempted(key, "sms", "PENDING")
    reason = "sms: it is being sent at this moment; no further step is taken"
    assert await cancelled(town, id=key) == [("tooLate", reason)]
    assert tried(await town.ended(key, "DELIVERED")) == [("sms", "DELIVERED")]


async def test_what_may_have_been_sent_is_told(town: Player) -> None:
    await town.say("whatsapp", "/start")
    whatsapp(town).hold_receipts = True
    whatsapp(town).faults.lose_answers()
    key = await one(town, WHATSAPP, SMS)
    await town.attempted(key, "whatsapp", "UNKNOWN")
    assert await cancelled(town, id=key) == [("tooLate", "whatsapp: it may have been sent; no further step is taken")]
    await town.ended(key, "UNDELIVERED")
    later(town, minutes=20)
    await looked_around(town)
    assert SMS["text"] not in texts(town, "sms")


async def test_a_text_of_which_a_part_arrived_has_left(town: Player) -> None:
    """And it is the same when asked again, although nothing follows."""
    await town.say("whatsapp", "/start")
    whatsapp(town).hold_receipts = True
    whatsapp(town).faults.planned.extend(["", "130429"])
    key = await one(town, {**WHATSAPP, "text": "a" * 4000 + "\n" + "b" * 4000})
    await town.attempted(key, "whatsapp", "PENDING", cause="unavailable")
    first = await cancelled(town, id=key)
    assert first == [("tooLate", "whatsapp: a part of it was sent; no further step is taken")]
    later(town, minutes=1)
    await looked_around(town)
    assert await cancelled(town, id=key) == first
    assert [text[0] for text in texts(town, "whatsapp")[1:]] == ["a"]


async def test_what_has_ended_stays_as_it_is(town: Player) -> None:
    delivered = await one(town, NEWS)
    await town.ended(delivered, "DELIVERED")
    assert await cancelled(town, id=delivered) == [("tooLate", "sms: it was delivered")]
    expired = await one(town, NEWS, sendAt=soon(town), validityPeriod=1)
    later(town, hours=2)
    await town.ended(expired, "EXPIRED")
    assert await cancelled(town, id=expired) == [("tooLate", "it is EXPIRED already")]
    assert (await town.story(expired))["cancelledAt"] is None


async def test_a_wish_that_names_nothing_or_too_much(town: Player) -> None:
    assert (await cancel(town, id="nobody"))[0] == 404
    assert (await cancel(town, bulkId="nobody"))[0] == 404
    for named in ({}, {"id": "a", "groupId": "b"}, {"id": ""}, {"ids": ["a"]}):
        status, answer = await cancel(town, **named)
        assert (status, set(answer)) == (400, {"error", "details"})


async def test_the_answer_and_the_providers_book_agree_whoever_is_faster(town: Player) -> None:
    """Each is cancelled some moments after it was accepted, or as soon as its sending has begun."""
    random.seed(1)
    people = phones(ROUNDS)

    async def play(number: int) -> tuple[str, str]:
        text = f"News {number}"
        (key,) = await accepted(town, [people[number]], {"channel": "sms", "text": text})
        if number % 2:
            await asyncio.sleep(random.uniform(0, 0.4))
        else:
            await until(partial(_begun, town, key))
        (item,) = (await cancel(town, id=key))[1]["messages"]
        return key, item["result"]

    played = await asyncio.gather(*(play(number) for number in range(ROUNDS)))
    stories = await all_ended(town, [key for key, _ in played], "DELIVERED", "CANCELLED")
    told = [result == "tooLate" for _, result in played]
    sent = texts(town, "sms")
    assert [sent.count(f"News {number}") for number in range(ROUNDS)] == [int(late) for late in told]
    assert [story["status"] == "DELIVERED" for story in stories] == told
    assert any(told)


async def _begun(town: Player, key: str) -> bool:
    return bool((await town.story(key))["attempts"])

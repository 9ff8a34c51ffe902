"""Tests held accounts: misconfigured, rate-limited or with a provider that is down; other accounts do not wait."""

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from gateway.runtime.limits.pace import MOST, Pace
from storage.accounts import states
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.barrier import AnswerBarrier, AnswerGate
from tests.support.workload import (
    SMS,
    accepted_messages,
    account,
    advance_clock,
    attempt_statuses,
    decisions_text,
    open_conversations,
    phones,
    send_all,
    send_one,
    texts,
    wait_for_all,
    wait_for_state,
)

TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}
WHATSAPP = {"channel": "whatsapp", "template": TEMPLATE}
VK = {"channel": "vk", "text": "News"}
BAD_TOKEN, BUSY, USED_UP, LOST = 190, 10, "29", "500"
DOWN = 1000


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def hold_length(view: Any) -> timedelta:
    """Return the length of the account's hold."""
    return moment(view["heldUntil"]) - moment(view["heldSince"])


async def send_to_vk(
    demo: ApiClient, count: int, *other_channels: dict[str, Any], first: int = 100, **fields: Any
) -> list[str]:
    """Send a message to `count` people with open conversations in VK. Returns the ids."""
    return await send_all(
        demo, await open_conversations(demo, "vk", phones(count, first)), VK, *other_channels, **fields
    )


async def test_an_account_at_fault_waits_and_so_do_its_messages(demo: ApiClient) -> None:
    faults = demo.environment.simulators["whatsapp"].faults
    faults.fail(BAD_TOKEN, times=2)
    first = await send_one(demo, WHATSAPP, SMS)
    view = await wait_for_state(demo, "whatsapp:demo", "held")
    assert ("190" in view["heldBecause"], hold_length(view)) == (True, timedelta(seconds=60))
    hold = (await states.holds(demo.environment.runtime.db, ["whatsapp:demo"]))["whatsapp:demo"]
    assert (hold.patient, hold.probing, hold.strikes) == (True, True, 1)
    keys = await send_all(demo, phones(5), WHATSAPP, SMS)
    assert [(await demo.wait_for_decision(key, "whatsapp: held, 190"))["attempts"] for key in keys] == [[]] * 5
    assert len(faults.planned) == 1, "nobody but the first has tried"
    advance_clock(demo, seconds=61)
    await until(lambda: _is_held_for(demo, timedelta(seconds=120)))
    await until(lambda: _is_second_try_stored(demo, first))
    assert (len(faults.planned), accepted_messages(demo, "whatsapp"), accepted_messages(demo, "sms")) == (0, [], [])
    advance_clock(demo, seconds=121)
    await wait_for_state(demo, "whatsapp:demo", "open")
    advance_clock(demo, seconds=11)
    stories = await wait_for_all(demo, (first, *keys), "READ")
    assert [attempt_statuses(story) for story in stories] == [[("whatsapp", "READ")]] * 6
    assert (await account(demo, "whatsapp:demo"))["state"] == "open"


async def _is_second_try_stored(demo: ApiClient, key: str) -> bool:
    """Return whether the outcome of the second try is stored, which happens a moment after the hold is."""
    attempt = (await demo.story(key))["attempts"][0]
    return bool(attempt["retryAt"] > attempt["sentAt"])


async def _is_held_for(demo: ApiClient, length: timedelta) -> bool:
    view = await account(demo, "whatsapp:demo")
    return view["state"] == "held" and hold_length(view) == length


async def test_many_at_once_find_the_fault_and_it_is_logged_once(
    demo: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    simulator = demo.environment.simulators["whatsapp"]
    simulator.faults = AnswerBarrier(8, after=0)
    simulator.faults.fail(BAD_TOKEN, times=8)
    with caplog.at_level(logging.WARNING, "gateway.runtime.limits.holds"):
        keys = await send_all(demo, phones(8), WHATSAPP)
        for key in keys:
            await demo.wait_for_attempt(key, "whatsapp", "PENDING", cause="misconfigured")
    assert [record.levelname for record in caplog.records if record.name == "gateway.runtime.limits.holds"] == ["ERROR"]
    assert hold_length(await wait_for_state(demo, "whatsapp:demo", "held")) == timedelta(seconds=60)


async def test_what_is_urgent_does_not_wait_for_a_held_account(demo: ApiClient) -> None:
    demo.environment.simulators["whatsapp"].faults.fail(BAD_TOKEN, times=DOWN)
    await send_one(demo, WHATSAPP)
    await wait_for_state(demo, "whatsapp:demo", "held")
    key = await send_one(demo, WHATSAPP, SMS, priority="urgent")
    story = await demo.wait_for(key, "DELIVERED")
    assert attempt_statuses(story) == [("whatsapp", "SKIPPED"), ("sms", "DELIVERED")]
    assert "it is urgent, so it is not waited for" in decisions_text(story)


async def test_asked_to_wait_the_whole_account_waits_and_no_longer(demo: ApiClient) -> None:
    """VK's limit for an hour is used up: the first refusal holds the account, and other accounts are not affected."""
    demo.environment.simulators["vk"].faults.planned.append(USED_UP)
    first = (await send_to_vk(demo, 1))[0]
    view = await wait_for_state(demo, "vk:demo", "held")
    assert hold_length(view) == timedelta(hours=1)
    other_keys = await send_to_vk(demo, 5, first=200)
    for key in other_keys:
        await demo.wait_for_decision(key, "vk: held, VK 29")
    assert attempt_statuses(await demo.wait_for(await send_one(demo, SMS), "DELIVERED")) == [("sms", "DELIVERED")]
    assert (await account(demo, "sms:demo"))["state"] == "open"
    assert [(await demo.story(key))["nextAt"] for key in other_keys] == [view["heldUntil"]] * 5
    advance_clock(demo, hours=0.98)
    await demo.wait_for(await send_one(demo, SMS), "DELIVERED")
    assert accepted_messages(demo, "vk") == []
    advance_clock(demo, hours=0.04)
    await wait_for_all(demo, other_keys, "SENT")
    advance_clock(demo, hours=0.5)
    assert attempt_statuses(await demo.wait_for(first, "SENT")) == [("vk", "SENT")]


async def test_what_has_its_moment_already_hears_it_too(demo: ApiClient) -> None:
    """Forty messages may have their moments already when VK refuses: no call begins after that."""
    demo.environment.simulators["vk"].faults.planned.extend([""] * 5 + [USED_UP] * DOWN)
    keys = await send_to_vk(demo, 40, priority="normal")
    view = await wait_for_state(demo, "vk:demo", "held")
    stories = await asyncio.gather(*(until(partial(_sent_or_held, demo, key)) for key in keys))
    assert [story["status"] for story in stories].count("SENT") == 5
    begun = [moment(attempt["sentAt"]) for story in stories for attempt in story["attempts"]]
    assert max(begun) <= moment(view["heldSince"])


async def _sent_or_held(demo: ApiClient, key: str) -> Any:
    story = await demo.story(key)
    return story if story["status"] == "SENT" or "VK 29" in decisions_text(story) else None


async def test_what_is_parked_does_not_wait_for_ever_either(demo: ApiClient) -> None:
    """They wait for room when the account is held, and those with another channel use it after their patience."""
    demo.environment.runtime.pace = Pace(least=MOST)
    demo.environment.simulators["vk"].faults.planned.extend([""] * 10 + [USED_UP] * DOWN)
    keys = await send_to_vk(demo, 40, SMS)
    await wait_for_state(demo, "vk:demo", "held")
    for _ in range(3):
        advance_clock(demo, minutes=3)
        await demo.wait_for(await send_one(demo, {"channel": "sms", "text": "Look!"}), "DELIVERED")
    await wait_for_all(demo, keys, "SENT", "DELIVERED")
    assert (len(accepted_messages(demo, "vk")), texts(demo, "sms").count(SMS["text"])) == (10, 30)
    assert (await account(demo, "vk:demo"))["state"] == "held"


async def test_a_provider_that_is_down_is_left_alone_and_comes_back(demo: ApiClient) -> None:
    faults = demo.environment.simulators["vk"].faults
    faults.fail(BUSY, times=DOWN)
    keys = await send_to_vk(demo, 12)
    view = await wait_for_state(demo, "vk:demo", "held")
    assert view["heldBecause"].startswith("the provider is down: VK 10")
    assert hold_length(view) >= timedelta(seconds=5)  # more, where we look only after it was tried once more
    faults.planned.clear()
    for _ in range(3):
        advance_clock(demo, seconds=20)
        await demo.wait_for(await send_one(demo, SMS), "DELIVERED")
    await wait_for_all(demo, keys, "SENT")
    await wait_for_state(demo, "vk:demo", "open")
    assert len(texts(demo, "vk")) == 12


async def test_failures_that_are_not_in_a_row_hold_no_account(demo: ApiClient) -> None:
    """Nine calls fail, one does not, and nine more fail; only the tenth in a row holds it."""
    faults = demo.environment.simulators["sms"].faults
    for number, code in enumerate([*[LOST] * 9, "", *[LOST] * 9, LOST]):
        if number == 19:
            assert (await account(demo, "sms:demo"))["state"] == "open"
        faults.planned.append(code)
        (key,) = await send_all(demo, phones(1, first=300 + number), SMS)
        await until(partial(_is_tried, demo, key))
    assert "the provider is down" in (await wait_for_state(demo, "sms:demo", "held"))["heldBecause"]


async def _is_tried(demo: ApiClient, key: str) -> bool:
    """Return whether the provider has answered the first try, by whatever."""
    attempts = (await demo.story(key))["attempts"]
    return bool(attempts) and attempts[0]["status"] != "SENDING"


async def test_a_provider_that_stays_down_is_given_up_after_the_steps_patience(demo: ApiClient) -> None:
    demo.environment.simulators["vk"].faults.fail(BUSY, times=DOWN)
    await send_to_vk(demo, 12)
    await wait_for_state(demo, "vk:demo", "held")
    (person,) = await open_conversations(demo, "vk", [{"phone": PHONE}])
    (key,) = await send_all(demo, [person], {**VK, "fallbackAfter": "PT30S"}, SMS)
    await demo.wait_for_decision(key, "vk: held, the provider is down")
    assert texts(demo, "sms") == []
    advance_clock(demo, seconds=31)
    story = await demo.wait_for(key, "DELIVERED")
    assert attempt_statuses(story) == [("vk", "SKIPPED"), ("sms", "DELIVERED")]
    assert "for longer than 30 s" in decisions_text(story)


async def test_a_slow_provider_slows_nobody_else(demo: ApiClient) -> None:
    """Hundreds of its messages are under way when another provider's message is sent and answered."""
    simulator = demo.environment.simulators["sms"]
    simulator.faults = gate = AnswerGate()
    await send_all(demo, phones(300), SMS)
    await gate.arrived.wait()
    (person,) = await open_conversations(demo, "telegram", [{"phone": PHONE}])
    (key,) = await send_all(demo, [person], {"channel": "telegram", "text": "Hi"})
    await demo.wait_for(key, "SENT")
    assert accepted_messages(demo, "sms") == []
    gate.opened.set()

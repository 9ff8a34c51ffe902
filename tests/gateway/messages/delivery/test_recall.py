"""Tests recalls of partial messages that a fallback has replaced, late receipts, and messages in doubt."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient
from tests.support.workload import (
    LONG,
    SMS,
    advance_clock,
    attempt_statuses,
    decisions_text,
    open_conversations,
    texts,
    wait_for_worker,
    whatsapp,
)

HALVES = {"telegram": ["", "400-peer"], "vk": ["", "914"]}
"""The faults by which each provider accepts the first piece of a long text and refuses the second."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, doubt=timedelta(seconds=1))


async def send_to_chat(demo: ApiClient, channel: str, *channels: dict[str, Any], **fields: Any) -> str:
    """Send a message to PHONE, who has an open conversation on this channel. Returns its id."""
    (destination,) = await open_conversations(demo, channel, [{"phone": PHONE}])
    message = {"destinations": [destination], "channels": list(channels), **fields}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    return str(answer["messages"][0]["id"])


@pytest.mark.parametrize("channel", ["telegram", "vk"])
async def test_half_a_text_disappears_once_the_sms_is_out(demo: ApiClient, channel: str) -> None:
    demo.environment.simulators[channel].faults.planned.extend(HALVES[channel])
    key = await send_to_chat(demo, channel, {"channel": channel, "text": LONG}, SMS)
    story = await demo.wait_for_decision(key, f"{channel}: taken back, since sms has replaced it")
    assert attempt_statuses(await demo.wait_for(key, "DELIVERED")) == [(channel, "UNDELIVERED"), ("sms", "DELIVERED")]
    assert story["attempts"][0]["recalledAt"]
    assert [text[:1] for text in texts(demo, channel)] == ["a"]
    assert demo.screen(channel) == []
    assert "in vain" not in decisions_text(story)


async def test_half_a_text_stays_while_nothing_has_replaced_it(demo: ApiClient) -> None:
    demo.environment.simulators["telegram"].faults.planned.extend(HALVES["telegram"])
    demo.environment.simulators["sms"].faults.fail(21614)
    key = await send_to_chat(demo, "telegram", {"channel": "telegram", "text": LONG}, SMS)
    story = await demo.wait_for(key, "UNDELIVERED")
    assert (len(demo.screen("telegram")), story["attempts"][0]["recalledAt"]) == (1, None)


async def test_what_cannot_be_taken_back_is_told_once(demo: ApiClient) -> None:
    demo.environment.simulators["telegram"].faults.planned.extend([*HALVES["telegram"], "400-rights"])
    key = await send_to_chat(demo, "telegram", {"channel": "telegram", "text": LONG}, SMS)
    story = await demo.wait_for_decision(key, "telegram: taken back, since sms has replaced it; in vain: Telegram")
    assert (await demo.wait_for(key, "DELIVERED"))["status"] == "DELIVERED"
    assert decisions_text(await demo.story(key)).count("in vain") == 1
    assert story["attempts"][0]["recalledAt"]
    assert len(demo.screen("telegram")) == 1


async def test_a_late_delivery_is_told_and_starts_nothing(demo: ApiClient) -> None:
    whatsapp(demo).hold_receipts = True
    key = await send_to_chat(demo, "whatsapp", {"channel": "whatsapp", "text": "Hi", "fallbackAfter": "PT10S"}, SMS)
    await demo.wait_for(key, "SENT")
    advance_clock(demo, seconds=11)
    await demo.wait_for(key, "DELIVERED")
    whatsapp(demo).release_receipts()
    story = await demo.wait_for(key, "READ")
    assert [attempt["late"] for attempt in story["attempts"]] == [True, False]
    assert "whatsapp: delivered; late, another step had taken over by then" in decisions_text(story)
    await wait_for_worker(demo)
    assert attempt_statuses(await demo.story(key)) == [("whatsapp", "READ"), ("sms", "DELIVERED")]
    assert (texts(demo, "whatsapp"), texts(demo, "sms").count(SMS["text"])) == (["Hi"], 1)


@pytest.mark.parametrize(("ambiguous", "copies"), [("atMostOnce", 1), ("atLeastOnce", 2)])
async def test_what_may_have_been_sent_is_repeated_only_if_asked(demo: ApiClient, ambiguous: str, copies: int) -> None:
    """Telegram takes no idempotency key and reports no delivery, so nobody can tell whether it was sent."""
    demo.environment.simulators["telegram"].faults.lose_answers()
    key = await send_to_chat(demo, "telegram", {"channel": "telegram", "text": "Hi"}, ambiguous=ambiguous)
    story = await demo.wait_for(key, "SENT", "UNDELIVERED")
    advance_clock(demo, minutes=5)
    await wait_for_worker(demo)
    assert texts(demo, "telegram") == ["Hi"] * copies
    if copies == 1:
        assert attempt_statuses(story) == [("telegram", "UNKNOWN")]
        assert story["reason"] == "no step is left; a message may have been sent, and is not repeated"
    else:
        assert attempt_statuses(story) == [("telegram", "SENT")]
        assert "telegram: it may have been sent; repeating it all the same, as asked" in decisions_text(story)


async def test_where_receipts_would_tell_the_doubt_is_waited_for_first(demo: ApiClient) -> None:
    whatsapp(demo).hold_receipts = True
    whatsapp(demo).faults.lose_answers()
    key = await send_to_chat(demo, "whatsapp", {"channel": "whatsapp", "text": "Hi"}, ambiguous="atLeastOnce")
    await demo.wait_for_decision(key, "whatsapp: it may have been sent; waiting for a receipt")
    assert texts(demo, "whatsapp") == ["Hi"]
    advance_clock(demo, seconds=30)
    story = await demo.wait_for_decision(key, "repeating it all the same, as asked")
    assert "waiting for a receipt" in decisions_text(story)
    await demo.wait_for(key, "SENT")
    assert texts(demo, "whatsapp") == ["Hi", "Hi"]


async def test_a_wrong_word_on_doubt_is_refused(demo: ApiClient) -> None:
    message = {"destinations": [{"phone": PHONE}], "channels": [SMS], "ambiguous": "perhaps"}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    assert answer["messages"][0]["error"]["field"] == "messages[0].ambiguous"

"""What was only half said disappears once another channel has said it; what comes late changes nothing; doubt."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient
from tests.support.workload import LONG, SMS, later, looked_around, seated, texts, tried, whatsapp, words

HALVES = {"telegram": ["", "400-peer"], "vk": ["", "914"]}
"""How each provider takes the first piece of a long text, and not the second."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, doubt=timedelta(seconds=1))


async def sent(demo: ApiClient, channel: str, *channels: dict[str, Any], **fields: Any) -> str:
    """A message to the one person, who talks to us on this channel."""
    (known,) = await seated(demo, channel, [{"phone": PHONE}])
    message = {"destinations": [known], "channels": list(channels), **fields}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    return str(answer["messages"][0]["id"])


@pytest.mark.parametrize("channel", ["telegram", "vk"])
async def test_half_a_text_disappears_once_the_sms_is_out(demo: ApiClient, channel: str) -> None:
    demo.environment.simulators[channel].faults.planned.extend(HALVES[channel])
    key = await sent(demo, channel, {"channel": channel, "text": LONG}, SMS)
    story = await demo.decided(key, f"{channel}: taken back, since sms has replaced it")
    assert tried(await demo.ended(key, "DELIVERED")) == [(channel, "UNDELIVERED"), ("sms", "DELIVERED")]
    assert story["attempts"][0]["recalledAt"]
    assert [text[:1] for text in texts(demo, channel)] == ["a"]
    assert demo.screen(channel) == []
    assert "in vain" not in words(story)


async def test_half_a_text_stays_while_nothing_has_replaced_it(demo: ApiClient) -> None:
    demo.environment.simulators["telegram"].faults.planned.extend(HALVES["telegram"])
    demo.environment.simulators["sms"].faults.fail(21614)
    key = await sent(demo, "telegram", {"channel": "telegram", "text": LONG}, SMS)
    story = await demo.ended(key, "UNDELIVERED")
    assert (len(demo.screen("telegram")), story["attempts"][0]["recalledAt"]) == (1, None)


async def test_what_cannot_be_taken_back_is_told_once(demo: ApiClient) -> None:
    demo.environment.simulators["telegram"].faults.planned.extend([*HALVES["telegram"], "400-rights"])
    key = await sent(demo, "telegram", {"channel": "telegram", "text": LONG}, SMS)
    story = await demo.decided(key, "telegram: taken back, since sms has replaced it; in vain: Telegram")
    assert (await demo.ended(key, "DELIVERED"))["status"] == "DELIVERED"
    assert words(await demo.story(key)).count("in vain") == 1
    assert story["attempts"][0]["recalledAt"]
    assert len(demo.screen("telegram")) == 1


async def test_a_late_delivery_is_told_and_starts_nothing(demo: ApiClient) -> None:
    whatsapp(demo).hold_receipts = True
    key = await sent(demo, "whatsapp", {"channel": "whatsapp", "text": "Hi", "fallbackAfter": "PT10S"}, SMS)
    await demo.ended(key, "SENT")
    later(demo, seconds=11)
    await demo.ended(key, "DELIVERED")
    whatsapp(demo).release_receipts()
    story = await demo.ended(key, "READ")
    assert [attempt["late"] for attempt in story["attempts"]] == [True, False]
    assert "whatsapp: delivered; late, another step had taken over by then" in words(story)
    await looked_around(demo)
    assert tried(await demo.story(key)) == [("whatsapp", "READ"), ("sms", "DELIVERED")]
    assert (texts(demo, "whatsapp"), texts(demo, "sms").count(SMS["text"])) == (["Hi"], 1)


@pytest.mark.parametrize(("ambiguous", "copies"), [("atMostOnce", 1), ("atLeastOnce", 2)])
async def test_what_may_have_been_sent_is_repeated_only_if_asked(demo: ApiClient, ambiguous: str, copies: int) -> None:
    """Telegram knows no key of ours and reports nothing: nobody can tell."""
    demo.environment.simulators["telegram"].faults.lose_answers()
    key = await sent(demo, "telegram", {"channel": "telegram", "text": "Hi"}, ambiguous=ambiguous)
    story = await demo.ended(key, "SENT", "UNDELIVERED")
    later(demo, minutes=5)
    await looked_around(demo)
    assert texts(demo, "telegram") == ["Hi"] * copies
    if copies == 1:
        assert tried(story) == [("telegram", "UNKNOWN")]
        assert story["reason"] == "no step is left; a message may have been sent, and is not repeated"
    else:
        assert tried(story) == [("telegram", "SENT")]
        assert "telegram: it may have been sent; repeating it all the same, as asked" in words(story)


async def test_where_receipts_would_tell_the_doubt_is_waited_for_first(demo: ApiClient) -> None:
    whatsapp(demo).hold_receipts = True
    whatsapp(demo).faults.lose_answers()
    key = await sent(demo, "whatsapp", {"channel": "whatsapp", "text": "Hi"}, ambiguous="atLeastOnce")
    await demo.decided(key, "whatsapp: it may have been sent; waiting for a receipt")
    assert texts(demo, "whatsapp") == ["Hi"]
    later(demo, seconds=30)
    story = await demo.decided(key, "repeating it all the same, as asked")
    assert "waiting for a receipt" in words(story)
    await demo.ended(key, "SENT")
    assert texts(demo, "whatsapp") == ["Hi", "Hi"]


async def test_a_wrong_word_on_doubt_is_refused(demo: ApiClient) -> None:
    message = {"destinations": [{"phone": PHONE}], "channels": [SMS], "ambiguous": "perhaps"}
    _, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    assert answer["messages"][0]["error"]["field"] == "messages[0].ambiguous"

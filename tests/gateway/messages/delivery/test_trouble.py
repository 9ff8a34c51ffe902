"""Tests providers that are slow, busy, half done or wrong about the time: nothing is lost or sent twice."""

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime

import pytest

from bots.simulation.faults import FaultsOnDemand
from bots.simulation.simulation import Simulator
from gateway.conversations import inbound
from gateway.domain.channel.contract import Channel
from gateway.domain.model.event import Inbound
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Address, Content, Session, TemplateMessage
from storage.messages import notifications
from storage.people import sessions
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.barrier import AnswerGate

SMS = {"channel": "sms", "text": "In short."}
LONG = "a" * 4000 + "\n" + "b" * 4000 + "\n" + "c" * 4000
BROADCAST = 60


def texts(simulator: Simulator) -> list[str]:
    """Return the first letters of the pieces that the provider accepted of the long message: a, b, c."""
    return [message.text[0] for message in simulator.accepted if message.text[:1] in {"a", "b", "c"}]


class FailingAt(FaultsOnDemand):
    """Faults by which only the call with this number fails, with this error."""

    def __init__(self, number: int, code: str) -> None:
        super().__init__(code)
        self._codes = iter([None] * number + [code])

    async def next_error(self) -> str | None:
        return next(self._codes, None)


async def session_of(demo: ApiClient, channel: str) -> str:
    """Press Start as the person. Returns the key of the new session."""
    simulator, before = demo.environment.simulators[channel], len(demo.answers(channel))
    await simulator.start(simulator.user_of(PHONE))
    await demo.answer(channel, before + (1 if channel == "viber" else 0))
    await simulator.quiet()
    return f"{channel}:demo:{simulator.known_as(simulator.user_of(PHONE))}"


async def test_a_slow_provider_is_not_taken_for_a_dead_process(demo: ApiClient) -> None:
    """While a text of three pieces is being sent, no other worker takes it over before each piece has had its time."""
    session = await session_of(demo, "telegram")
    simulator, runtime = demo.environment.simulators["telegram"], demo.environment.runtime
    simulator.faults.answer_after = 0.8
    key = await demo.send({"channel": "telegram", "text": LONG}, SMS, chatSessionId=session)

    async def sending() -> Notification | None:
        notification = await notifications.get(runtime.db, key)
        return notification if notification and notification.attempts else None

    notification = await until(sending)
    began = notification.attempts[0].sent_at
    assert notification.due_at
    assert began
    assert 3 <= (notification.due_at - began) / runtime.settings.lease < 4  # counted from the storing, a moment later
    story = await demo.wait_for(key, "SENT", "DELIVERED")
    assert [(attempt["channel"], attempt["status"]) for attempt in story["attempts"]] == [("telegram", "SENT")]
    assert texts(simulator) == ["a", "b", "c"]


@pytest.mark.parametrize("code", ["950", "943"])
async def test_what_has_arrived_is_not_sent_again_under_an_intent(demo: ApiClient, code: str) -> None:
    session = await session_of(demo, "vk")
    simulator = demo.environment.simulators["vk"]
    simulator.faults = FailingAt(1, code)
    story = await demo.wait_for(await demo.send({"channel": "vk", "text": LONG}, SMS, chatSessionId=session), "SENT")
    assert [(attempt["status"], attempt["intent"]) for attempt in story["attempts"]] == [
        ("UNDELIVERED", None),
        ("SENT", "purchase_update"),
    ]
    assert texts(simulator) == ["a", "b", "c"]


async def test_a_window_that_shuts_half_way_leaves_what_has_arrived(demo: ApiClient) -> None:
    session = await session_of(demo, "vk")
    simulator = demo.environment.simulators["vk"]
    simulator.faults = FailingAt(1, "6")
    key = await demo.send({"channel": "vk", "text": LONG}, SMS, chatSessionId=session)
    await demo.wait_for_decision(key, "trying again")
    demo.pass_time(hours=23.99)
    story = await demo.wait_for(key, "SENT", "DELIVERED")
    assert [(attempt["status"], attempt["intent"]) for attempt in story["attempts"]] == [
        ("UNDELIVERED", None),
        ("SENT", "purchase_update"),
    ]
    assert texts(simulator) == ["a", "b", "c"]


async def test_a_mailing_that_is_too_fast_for_the_provider_arrives_all_the_same(demo: ApiClient) -> None:
    """VK accepts twenty calls in a second and refuses the others, which are retried."""
    session = await session_of(demo, "vk")
    simulator = demo.environment.simulators["vk"]
    simulator.faults.per_second = 20
    message = {
        "destinations": [{"chatSessionId": session}] * BROADCAST,
        "channels": [{"channel": "vk", "text": "News"}],
    }
    status, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    assert status == 202
    async with asyncio.timeout(60):
        stories = [await demo.wait_for(item["id"], "SENT", "UNDELIVERED") for item in answer["messages"]]
    assert Counter(story["status"] for story in stories) == {"SENT": BROADCAST}
    assert sum(message.text == "News" for message in simulator.accepted) == BROADCAST


async def test_a_mistake_in_a_channel_is_told_and_does_not_stop_the_others(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await session_of(demo, "telegram")

    async def broken(_: Channel, __: Address, ___: Content | TemplateMessage, *, key: str) -> str:
        raise ZeroDivisionError(key)

    channel = demo.environment.runtime.channel("telegram")
    monkeypatch.setattr(type(channel), "send", broken)
    key = await demo.send({"channel": "telegram", "text": "News"}, SMS, chatSessionId=session)
    story = await demo.wait_for(key, "DELIVERED", "UNDELIVERED")
    assert story["attempts"][0]["reason"] == "a mistake of ours (ZeroDivisionError); it may have been sent"


async def test_what_a_person_does_while_a_refusal_is_under_way_counts(demo: ApiClient) -> None:
    """The person writes after the send began, and the refusal comes after that. VK gives times in whole seconds."""
    session = await session_of(demo, "vk")
    simulator = demo.environment.simulators["vk"]
    simulator.faults = gate = AnswerGate()
    gate.fail(901)
    key = await demo.send({"channel": "vk", "text": "News"}, SMS, chatSessionId=session)
    await gate.arrived.wait()
    began = demo.environment.runtime.clock()
    demo.pass_time(2 / 3600)
    await simulator.say(simulator.user_of(PHONE), "hi")
    await until(lambda: _has_written_since(demo, session, began))
    gate.opened.set()
    story = await demo.wait_for(key, "DELIVERED", "UNDELIVERED")
    assert story["attempts"][0]["cause"] == "stopped"
    stored_session = await sessions.get(demo.environment.runtime.db, session)
    assert stored_session
    assert stored_session.blocked_at is None


async def test_nothing_happens_in_the_future(demo: ApiClient) -> None:
    """A provider's clock that is wrong must not open a window for years."""
    address, now = Address("vk", "demo", "7001"), demo.environment.runtime.clock()
    await inbound.work(
        demo.environment.runtime,
        Inbound(address, "e1", "7001/1", Content("/start"), datetime(9999, 12, 31, tzinfo=UTC)),
        demo.environment.runtime.clock(),
    )
    session = await sessions.get(demo.environment.runtime.db, address.key)
    assert session
    assert session.last_inbound_at is not None
    assert now <= session.last_inbound_at <= demo.environment.runtime.clock()


async def _has_written_since(demo: ApiClient, key: str, moment: datetime) -> bool:
    session = await sessions.get(demo.environment.runtime.db, key)
    return session is not None and session.last_inbound_at is not None and session.last_inbound_at > moment


async def test_a_group_that_has_had_too_many_messages_does_not_hold_up_the_bot(
    demo: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    simulator, runtime = demo.environment.simulators["telegram"], demo.environment.runtime
    group, now = Address("telegram", "demo", "-4001"), runtime.clock()
    simulator.phone(group.user, "Warehouse")
    open_chat = Session(group.key, group, started_at=now, last_inbound_at=now)
    await sessions.change(runtime.db, group.key, lambda old: old or open_chat)
    simulator.faults.fail("429")
    with caplog.at_level(logging.INFO, "gateway.runtime.limits.holds"):
        key = await demo.send({"channel": "telegram", "text": "To all"}, chatSessionId=group.key)
        story = await demo.wait_for(key, "SENT")
    assert any("Too Many Requests" in line["text"] for line in story["decisions"])
    assert "is held" not in caplog.text

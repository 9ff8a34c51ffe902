"""Providers that are slow, busy, half-way through, or wrong about the time: nothing twice, nothing lost."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from bots.simulation.simulation import Faults, Simulator
from gateway.conversations import inbound
from gateway.domain.channel.contract import Channel
from gateway.domain.model.event import Inbound
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Address, Content, TemplateMessage
from storage.messages import notifications
from storage.people import sessions
from tests.support.client import PHONE, Player, until

SMS = {"channel": "sms", "text": "In short."}
LONG = "a" * 4000 + "\n" + "b" * 4000 + "\n" + "c" * 4000
MAILING = 60


def texts(simulator: Simulator) -> list[str]:
    """What the provider took of the long message: a, b, c."""
    return [message.text[0] for message in simulator.accepted if message.text[:1] in {"a", "b", "c"}]


class FailingAt(Faults):
    """The call of this number has this error, the others have none."""

    def __init__(self, number: int, code: str) -> None:
        super().__init__(code)
        self._codes = iter([None] * number + [code])

    async def next_error(self) -> str | None:
        return next(self._codes, None)


async def session_of(town: Player, channel: str) -> str:
    """The conversation that a person begins by pressing Start."""
    simulator, before = town.town.simulators[channel], len(town.answers(channel))
    await simulator.start(simulator.user_of(PHONE))
    await town.answer(channel, before + (1 if channel == "viber" else 0))
    await simulator.quiet()
    return f"{channel}:demo:{simulator.user_of(PHONE)}"


async def test_a_slow_provider_is_not_taken_for_a_dead_process(town: Player) -> None:
    """While a text of three pieces is on its way, nobody takes it over before each has had its time."""
    session = await session_of(town, "telegram")
    simulator, runtime = town.town.simulators["telegram"], town.town.runtime
    simulator.faults.answer_after = 0.8
    key = await town.send({"channel": "telegram", "text": LONG}, SMS, chatSessionId=session)

    async def sending() -> Notification | None:
        stored = await notifications.get(runtime.db, key)
        return stored if stored and stored.attempts else None

    stored = await until(sending)
    began = stored.attempts[0].sent_at
    assert stored.due_at
    assert began
    assert stored.due_at == began + 3 * runtime.settings.lease
    story = await town.ended(key, "SENT", "DELIVERED")
    assert [(attempt["channel"], attempt["status"]) for attempt in story["attempts"]] == [("telegram", "SENT")]
    assert texts(simulator) == ["a", "b", "c"]


@pytest.mark.parametrize("code", ["950", "943"])
async def test_what_has_arrived_is_not_sent_again_under_an_intent(town: Player, code: str) -> None:
    session = await session_of(town, "vk")
    simulator = town.town.simulators["vk"]
    simulator.faults = FailingAt(1, code)
    story = await town.ended(await town.send({"channel": "vk", "text": LONG}, SMS, chatSessionId=session), "SENT")
    assert [(one["status"], one["intent"]) for one in story["attempts"]] == [
        ("UNDELIVERED", None),
        ("SENT", "purchase_update"),
    ]
    assert texts(simulator) == ["a", "b", "c"]


async def test_a_window_that_shuts_half_way_leaves_what_has_arrived(town: Player) -> None:
    session = await session_of(town, "vk")
    simulator = town.town.simulators["vk"]
    simulator.faults = FailingAt(1, "6")
    key = await town.send({"channel": "vk", "text": LONG}, SMS, chatSessionId=session)
    await town.decided(key, "trying again")
    town.pass_time(hours=23.99)
    story = await town.ended(key, "SENT", "DELIVERED")
    assert [(one["status"], one["intent"]) for one in story["attempts"]] == [
        ("UNDELIVERED", None),
        ("SENT", "purchase_update"),
    ]
    assert texts(simulator) == ["a", "b", "c"]


async def test_a_mailing_that_is_too_fast_for_the_provider_arrives_all_the_same(town: Player) -> None:
    """As VK counts: twenty in a second; the others are asked to come again."""
    session = await session_of(town, "vk")
    simulator = town.town.simulators["vk"]
    simulator.faults.per_second = 20
    message = {"destinations": [{"chatSessionId": session}] * MAILING, "channels": [{"channel": "vk", "text": "News"}]}
    status, answer = await town.post("/api/v1/messages", {"messages": [message]})
    assert status == 202
    async with asyncio.timeout(60):
        stories = [await town.ended(item["id"], "SENT", "UNDELIVERED") for item in answer["messages"]]
    assert Counter(story["status"] for story in stories) == {"SENT": MAILING}
    assert sum(message.text == "News" for message in simulator.accepted) == MAILING


async def test_a_mistake_in_a_channel_is_told_and_does_not_stop_the_others(
    town: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await session_of(town, "telegram")

    async def broken(_: Channel, __: Address, ___: Content | TemplateMessage, *, key: str) -> str:
        raise ZeroDivisionError(key)

    channel = town.town.runtime.channel("telegram")
    monkeypatch.setattr(type(channel), "send", broken)
    key = await town.send({"channel": "telegram", "text": "News"}, SMS, chatSessionId=session)
    story = await town.ended(key, "DELIVERED", "UNDELIVERED")
    assert story["attempts"][0]["reason"] == "a mistake of ours (ZeroDivisionError); it may have been sent"


async def test_what_a_person_does_while_a_refusal_is_under_way_counts(town: Player) -> None:
    """They write after the send began, and the refusal comes after that. VK tells times in whole seconds."""
    session = await session_of(town, "vk")
    simulator = town.town.simulators["vk"]
    simulator.faults.answer_after = 3
    simulator.faults.fail(901)
    key = await town.send({"channel": "vk", "text": "News"}, SMS, chatSessionId=session)
    await until(lambda: _taken(simulator))
    simulator.faults.answer_after = 0
    await simulator.say(simulator.user_of(PHONE), "hi")
    await town.ended(key, "DELIVERED", "UNDELIVERED")
    stored = await sessions.get(town.town.runtime.db, session)
    assert stored
    assert stored.blocked_at is None


async def test_nothing_happens_in_the_future(town: Player) -> None:
    """A provider's clock that is wrong must not open a window for years."""
    address, now = Address("vk", "demo", "7001"), town.town.runtime.clock()
    await inbound.work(
        town.town.runtime, Inbound(address, "e1", "7001/1", Content("/start"), datetime(9999, 12, 31, tzinfo=UTC))
    )
    session = await sessions.get(town.town.runtime.db, address.key)
    assert session
    assert session.last_inbound_at is not None
    assert now <= session.last_inbound_at <= town.town.runtime.clock()


async def _taken(simulator: Simulator) -> bool:
    """Is the planned error waiting to be answered?"""
    await asyncio.sleep(1.2)
    return simulator.faults.answer_after > 0

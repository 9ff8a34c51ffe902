"""Tests troubled deliveries: early, late and repeated receipts, lost answers, held accounts, closed windows, blocks."""

from datetime import timedelta
from typing import Any

from bots.simulation.simulation import Simulator
from bots.telegram.simulator.server import Server as Telegram
from bots.whatsapp.simulator.server import Server as WhatsApp
from gateway.domain.cascade.moves import DOUBT
from storage.people import sessions
from tests.support.client import PHONE, ApiClient, until

TEXT = {"channel": "whatsapp", "text": "Hi"}
TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}
SMS = {"channel": "sms", "text": "Hi by SMS"}


def whatsapp(demo: ApiClient) -> WhatsApp:
    simulator = demo.environment.simulators["whatsapp"]
    assert isinstance(simulator, WhatsApp)
    return simulator


def times_accepted(simulator: Simulator, text: str = "Hi") -> int:
    """Return how often the provider accepted this text."""
    return sum(message.text == text for message in simulator.accepted)


def attempt_statuses(story: Any) -> list[tuple[str, str]]:
    return [(attempt["channel"], attempt["status"]) for attempt in story["attempts"]]


async def test_receipts_before_the_answer_are_joined(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    whatsapp(demo).receipts_first = True
    story = await demo.wait_for(await demo.send(TEXT, SMS), "READ")
    assert attempt_statuses(story) == [("whatsapp", "READ")]


async def test_an_sms_receipt_before_the_answer_is_joined(demo: ApiClient) -> None:
    demo.environment.simulators["sms"].faults.lose_answers()
    story = await demo.wait_for(await demo.send(SMS), "DELIVERED")
    assert attempt_statuses(story) == [("sms", "DELIVERED")]
    assert times_accepted(demo.environment.simulators["sms"], "Hi by SMS") == 1


async def test_receipts_in_disorder_and_twice_only_move_forward(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    simulator = whatsapp(demo)
    simulator.faults.webhook_copies, simulator.faults.reorder = 3, True
    key = await demo.send(TEXT, SMS)
    await demo.wait_for(key, "READ")
    await simulator.quiet()
    assert attempt_statuses(await demo.wait_for(key, "READ")) == [("whatsapp", "READ")]


async def test_a_lost_answer_is_not_repeated_but_recognised_by_our_key(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    whatsapp(demo).faults.lose_answers()
    story = await demo.wait_for(await demo.send(TEXT, SMS), "READ")
    assert attempt_statuses(story) == [("whatsapp", "READ")]
    assert times_accepted(whatsapp(demo)) == 1


async def test_a_silence_is_waited_for_where_there_are_receipts(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    simulator = whatsapp(demo)
    simulator.faults.lose_answers()
    simulator.hold_receipts = True
    key = await demo.send(TEXT, SMS)
    await demo.wait_for_decision(key, "waiting for a receipt")
    demo.pass_time(DOUBT / timedelta(hours=1))
    assert attempt_statuses(await demo.wait_for(key, "DELIVERED")) == [("whatsapp", "UNKNOWN"), ("sms", "DELIVERED")]


async def test_a_lost_answer_without_receipts_moves_on_and_says_so(demo: ApiClient) -> None:
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")
    telegram = demo.environment.simulators["telegram"]
    telegram.faults.lose_answers()
    story = await demo.wait_for(await demo.send({"channel": "telegram", "text": "Hi"}, SMS), "DELIVERED")
    assert attempt_statuses(story) == [("telegram", "UNKNOWN"), ("sms", "DELIVERED")]
    assert "may have been sent" in story["attempts"][0]["reason"]
    assert times_accepted(telegram) == 1


async def test_the_window_shut_in_a_late_status_leads_to_the_template(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    simulator = whatsapp(demo)
    simulator.close_window(simulator.user_of(PHONE))
    story = await demo.wait_for(await demo.send({**TEXT, "template": TEMPLATE}, SMS), "READ")
    assert attempt_statuses(story) == [("whatsapp", "UNDELIVERED"), ("whatsapp", "READ")]
    assert "131047" in story["attempts"][0]["reason"]
    assert story["attempts"][1]["template"] == "order_update/en"
    session = await sessions.get(
        demo.environment.runtime.db, f"whatsapp:demo:{simulator.known_as(simulator.user_of(PHONE))}"
    )
    assert session
    assert session.window_closed_at


async def test_the_window_shut_at_once_leads_to_the_template(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    simulator = whatsapp(demo)
    simulator.window_sync = True
    simulator.close_window(simulator.user_of(PHONE))
    story = await demo.wait_for(await demo.send({**TEXT, "template": TEMPLATE}, SMS), "READ")
    assert attempt_statuses(story) == [("whatsapp", "UNDELIVERED"), ("whatsapp", "READ")]


async def test_a_paused_template_is_not_used(demo: ApiClient) -> None:
    whatsapp(demo).set_template_status("order_update", "en", "PAUSED")
    await whatsapp(demo).quiet()

    async def unusable_template() -> Any:
        return await demo.environment.runtime.db["templates"].find_one({"usable": False})

    await until(unusable_template)
    story = await demo.wait_for(await demo.send({**TEXT, "template": TEMPLATE}, SMS), "DELIVERED")
    assert attempt_statuses(story) == [("whatsapp", "SKIPPED"), ("sms", "DELIVERED")]
    assert "paused" in story["attempts"][0]["reason"]


async def test_a_misconfigured_account_is_held_and_its_messages_wait(demo: ApiClient) -> None:
    whatsapp(demo).faults.fail(190)
    key = await demo.send({"channel": "whatsapp", "template": TEMPLATE}, SMS)
    await demo.wait_for_attempt(key, "whatsapp", "PENDING", cause="misconfigured")
    second = await demo.send({"channel": "whatsapp", "template": TEMPLATE})
    story = await demo.wait_for_decision(second, "held")
    assert story["attempts"] == []
    demo.pass_time(61 / 3600)
    for waiting in (key, second):
        assert attempt_statuses(await demo.wait_for(waiting, "READ")) == [("whatsapp", "READ")]


async def test_a_busy_provider_is_asked_again(demo: ApiClient) -> None:
    whatsapp(demo).faults.fail(130429, times=2)
    key = await demo.send({"channel": "whatsapp", "template": TEMPLATE}, SMS)
    for _ in range(2):
        await demo.wait_for_attempt(key, "whatsapp", "PENDING", cause="unavailable")
        demo.pass_time(hours=0.02)
    assert attempt_statuses(await demo.wait_for(key, "READ")) == [("whatsapp", "READ")]


async def test_a_provider_that_throttles_gets_everything_in_the_end(demo: ApiClient) -> None:
    """One call a second is accepted and the rest are refused as too many; nothing is lost or sent twice."""
    faults = demo.environment.simulators["sms"].faults
    faults.per_second = 1
    keys = [await demo.send({**SMS, "text": f"News {number}"}) for number in range(3)]
    for key in keys:
        assert attempt_statuses(await demo.wait_for(key, "DELIVERED")) == [("sms", "DELIVERED")]
    assert sorted(message.text for message in demo.environment.simulators["sms"].accepted) == [
        "News 0",
        "News 1",
        "News 2",
    ]


async def test_a_long_text_arrives_in_order_and_once(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    words = " ".join(str(number) for number in range(1500))
    story = await demo.wait_for(await demo.send({**TEXT, "text": words}), "READ")
    assert story["attempts"][0]["partCount"] == 2
    received_text = " ".join(bubble.text for bubble in demo.answers("whatsapp")[1:])
    assert received_text.split() == words.split()


async def test_a_person_without_a_number_cannot_get_an_sms(demo: ApiClient) -> None:
    simulator = whatsapp(demo)
    simulator.give_bsuid(simulator.user_of(PHONE), "RU.1349120865530274", hide_phone=True)
    await demo.say("whatsapp", "/start")
    simulator.phone(simulator.user_of(PHONE)).reachable = False
    key = await demo.send(TEXT, SMS, chatSessionId="whatsapp:demo:RU.1349120865530274")
    story = await demo.wait_for(key, "UNDELIVERED")
    assert attempt_statuses(story) == [("whatsapp", "UNDELIVERED"), ("sms", "SKIPPED")]
    assert story["attempts"][1]["reason"] == "sms: no phone number is known"


async def test_a_number_and_a_username_are_one_person(demo: ApiClient) -> None:
    simulator = whatsapp(demo)
    simulator.give_bsuid(simulator.user_of(PHONE), "RU.1349120865530274")
    await demo.say("whatsapp", "/start")
    story = await demo.wait_for(await demo.send(TEXT, SMS), "READ")
    assert story["attempts"][0]["address"] == "RU.1349120865530274"
    assert "window open" in story["decisions"][0]["text"]


async def test_a_shared_number_joins_the_chat(demo: ApiClient) -> None:
    """A chat of a contact without a number joins the contact with the number as well."""
    telegram = demo.environment.simulators["telegram"]
    assert isinstance(telegram, Telegram)
    contact = (await demo.post("/api/v1/contacts", {"externalId": "crm-17"}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")
    await telegram.share_contact(telegram.user_of(PHONE))
    await demo.answer("telegram", 1)
    story = await demo.wait_for(await demo.send({"channel": "telegram", "text": "Hi"}, SMS), "SENT")
    assert attempt_statuses(story) == [("telegram", "SENT")]
    assert (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]["externalId"] == "crm-17"

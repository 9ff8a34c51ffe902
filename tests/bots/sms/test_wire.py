"""Sending, receipts and faults, over real HTTP."""

from datetime import timedelta

import aiohttp
import pytest

from bots.sms import Account, open_accounts
from gateway.domain.channel.contract import Outside
from gateway.domain.channel.errors import (
    Ambiguous,
    Misconfigured,
    Refused,
    SendError,
    Stopped,
    TemplateUnusable,
    Throttled,
    Unavailable,
)
from gateway.domain.channel.secret import Secret
from gateway.domain.model.event import Inbound, Receipt, Subscription
from gateway.domain.model.nouns import Address, Button, Cause, Content, Media, Progress, TemplateMessage
from tests.bots.sms.pair import ANNA, Pair, opened_pair
from tests.support.http.serving import free_port


def receipts(pair: Pair) -> list[Receipt]:
    return [event for event in pair.events if isinstance(event, Receipt)]


async def test_a_message_arrives_and_is_reported() -> None:
    async with opened_pair() as pair:
        sid = await pair.channel.send(pair.anna, Content("Заказ № 5 & готов + оплачен"), key="n1:0:0")
        await pair.server.quiet()
        accepted = pair.server.accepted[0]
        assert (accepted.id, accepted.user, accepted.text) == (sid, ANNA, "Заказ № 5 & готов + оплачен")
        assert accepted.request == {
            "To": ANNA,
            "From": "+79990000009",
            "Body": "Заказ № 5 & готов + оплачен",
            "StatusCallback": f"{pair.url}/webhooks/sms/main?key=n1%3A0%3A0",
        }
        assert pair.server.phone(ANNA).screen[0].state == "delivered"
        assert [(receipt.progress, receipt.provider_id, receipt.key) for receipt in receipts(pair)] == [
            (Progress.SENT, sid, "n1:0:0"),
            (Progress.DELIVERED, sid, "n1:0:0"),
        ]
        assert {status for status, _ in pair.server.answers} == {200}


async def test_buttons_and_files_become_lines() -> None:
    content = Content(
        "Your order",
        Media("image", "https://shop.ru/a.jpg"),
        (Button("Yes", reply="/yes"), Button("Site", url="https://shop.ru")),
    )
    async with opened_pair() as pair:
        await pair.channel.send(pair.anna, content, key="k")
        assert pair.server.accepted[0].text == "Your order\nhttps://shop.ru/a.jpg\n1. Yes\nSite: https://shop.ru"


async def test_a_messaging_service_sends_in_its_own_field() -> None:
    service = f"MG{'a1' * 16}"
    async with opened_pair(service) as pair:
        await pair.channel.send(pair.anna, Content("hello"), key="k")
        request = pair.server.accepted[0].request
        assert (request.get("MessagingServiceSid"), request.get("From")) == (service, None)


async def test_an_unreachable_phone_is_reported() -> None:
    async with opened_pair() as pair:
        pair.server.phone(ANNA).reachable = False
        await pair.channel.send(pair.anna, Content("hello"), key="k")
        await pair.server.quiet()
        last = receipts(pair)[-1]
        assert (last.progress, last.cause) == (Progress.FAILED, Cause.UNAVAILABLE), "it may be switched on again"
        assert last.reason == "the phone cannot be reached (30003)"
        assert pair.server.phone(ANNA).screen[0].state == "failed"


async def test_a_late_code_comes_in_a_receipt() -> None:
    async with opened_pair() as pair:
        pair.server.faults.fail(30007)
        await pair.channel.send(pair.anna, Content("hello"), key="k")
        await pair.server.quiet()
        assert receipts(pair)[-1].reason == "the carrier filtered the message (30007)"


async def test_stop_and_start() -> None:
    async with opened_pair() as pair:
        await pair.server.say(ANNA, "Stop")
        await pair.server.quiet()
        with pytest.raises(Stopped, match="21610"):
            await pair.channel.send(pair.anna, Content("hello"), key="k")
        await pair.server.say(ANNA, "START")
        await pair.server.quiet()
        assert await pair.channel.send(pair.anna, Content("hello"), key="k")
        subscriptions = [event.active for event in pair.events if isinstance(event, Subscription)]
        assert subscriptions == [False, True]
        assert len(pair.server.accepted) == 1


async def test_a_person_writes_and_the_answer_is_silent() -> None:
    async with opened_pair() as pair:
        await pair.server.say(ANNA, "Где заказ? 🙂 & a=b")
        await pair.server.press(ANNA, "SM1", "Help")
        await pair.server.quiet()
        messages = [event for event in pair.events if isinstance(event, Inbound)]
        assert [event.content.text for event in messages] == ["Где заказ? 🙂 & a=b", "Help"]
        assert {event.address for event in messages} == {pair.anna}
        assert pair.server.answers == [(200, "<Response/>")] * 2
        assert [bubble.mine for bubble in pair.server.phone(ANNA).screen] == [True, True]


async def test_a_webhook_is_delivered_again_until_it_is_taken() -> None:
    async with opened_pair() as pair:
        pair.statuses.extend([503, 503])
        await pair.server.say(ANNA, "hello")
        await pair.server.quiet()
        assert [status for status, _ in pair.server.answers] == [503, 503, 200]
        assert len(pair.events) == 1


async def test_a_lost_answer_is_ambiguous_and_its_receipt_names_our_key() -> None:
    async with opened_pair() as pair:
        pair.server.faults.lose_answers()
        with pytest.raises(Ambiguous):
            await pair.channel.send(pair.anna, Content("hello"), key="n1:0/0 ?&")
        await pair.server.quiet()
        assert len(pair.server.accepted) == 1
        assert pair.forged == 0
        assert [receipt.key for receipt in receipts(pair)] == ["n1:0/0 ?&"] * 2


async def test_receipts_can_be_held_back() -> None:
    async with opened_pair() as pair:
        pair.server.hold_receipts()
        await pair.channel.send(pair.anna, Content("hello"), key="k")
        await pair.server.quiet()
        assert pair.events == []
        assert pair.server.phone(ANNA).screen[0].state == "queued"
        pair.server.release_receipts()
        await pair.server.quiet()
        assert [receipt.progress for receipt in receipts(pair)] == [Progress.SENT, Progress.DELIVERED]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (21211, Refused),
        (21610, Stopped),
        (21606, Misconfigured),
        (20003, Misconfigured),
        (20404, Misconfigured),
        (20429, Throttled),
        (500, Ambiguous),
        (403, Misconfigured),
        (302, Misconfigured),
        (400, Refused),
    ],
)
async def test_a_refusal_on_the_wire(code: int, error: type[SendError]) -> None:
    async with opened_pair() as pair:
        pair.server.faults.fail(code)
        with pytest.raises(error) as refusal:
            await pair.channel.send(pair.anna, Content("hello"), key="k")
        assert type(refusal.value) is error
        assert pair.server.accepted == []


async def test_a_throttled_call_says_when_to_come_back() -> None:
    async with opened_pair() as pair:
        pair.server.faults.fail(20429)
        with pytest.raises(Throttled) as refusal:
            await pair.channel.send(pair.anna, Content("hello"), key="k")
        assert refusal.value.retry_after == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("user", "text", "code"), [("89161234567", "hello", "21211"), ("", "hello", "21604"), (ANNA, "", "21602")]
)
async def test_what_twilio_would_not_take(user: str, text: str, code: str) -> None:
    async with opened_pair() as pair:
        with pytest.raises(Refused, match=code):
            await pair.channel.send(Address("sms", pair.channel.account, user), Content(text), key="k")


async def test_the_longest_text() -> None:
    async with opened_pair() as pair:
        assert await pair.channel.send(pair.anna, Content("ы" * 1600), key="k")
        with pytest.raises(Refused, match="21617"):
            await pair.channel.send(pair.anna, Content("ы" * 1601), key="k")


async def test_wrong_credentials_are_named_and_not_shown() -> None:
    async with opened_pair(auth_token=Secret("not-the-real-token-9d1f")) as pair:
        with pytest.raises(Misconfigured, match="auth_token is wrong") as refusal:
            await pair.channel.send(pair.anna, Content("hello"), key="k")
        assert "9d1f" not in str(refusal.value)


async def test_nobody_there_is_unavailable() -> None:
    settings = Account("AC1", Secret("x" * 20), "Shop", f"http://127.0.0.1:{free_port()}")
    async with aiohttp.ClientSession() as http:
        channel = open_accounts({"main": settings}, Outside(http, "https://gateway.shop.ru", http))["main"]
        with pytest.raises(Unavailable):
            await channel.send(Address("sms", "main", ANNA), Content("hello"), key="k")


async def test_templates_are_not_for_text_messages() -> None:
    async with opened_pair() as pair:
        with pytest.raises(TemplateUnusable):
            await pair.channel.send(pair.anna, TemplateMessage("order", "ru"), key="k")

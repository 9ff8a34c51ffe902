"""Tests WhatsApp's switch for marketing: it holds by whatever names Meta tells it, and for the whole person."""

from typing import Any

import pytest

from bots.whatsapp.simulator import webhooks
from gateway.domain.channel.secret import Secret
from storage.documents.documents import Db
from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import decisions_text, whatsapp

BSUID = "RU.1349120865530274"
WA_ID = PHONE.removeprefix("+")
ADS = [
    {"channel": "whatsapp", "template": {"name": "order_update", "language": "en"}},
    {"channel": "sms", "text": "Sale!"},
]
VARIABLES = {"name": "Anna", "order": "A-17"}


async def report(demo: ApiClient, field: str, **value: Any) -> None:
    """Post a change as Meta does, and wait until it has been worked on."""
    simulator, account = whatsapp(demo), whatsapp(demo).account
    metadata = {"display_phone_number": "1", "phone_number_id": account.phone_number_id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    secret = Secret(account.app_secret.reveal())
    at = demo.environment.runtime.clock()
    simulator.deliver(webhooks.call(simulator.webhook_url, account.waba_id, secret, at, field=field, value=value))
    await simulator.quiet()
    await until(lambda: has_worked(demo.environment.runtime.db))


async def has_worked(db: Db) -> bool:
    """Return whether every event that has come in was worked on."""
    return await db["inbox"].find_one({"done_at": None}) is None


def wish(demo: ApiClient, value: str, **names: str) -> dict[str, Any]:
    stamp = int(demo.environment.runtime.clock().timestamp())
    return {**names, "detail": "", "category": "marketing_messages", "value": value, "timestamp": stamp}


async def ad(demo: ApiClient, *statuses: str) -> str:
    """Send an advertisement to the person's number, by all its channels. Returns the decisions of its story."""
    destination = {"phone": PHONE, "variables": VARIABLES}
    message = {"destinations": [destination], "channels": ADS, "category": "marketing"}
    status, answer = await demo.post("/api/v1/messages", {"messages": [message]})
    assert status == 202, answer
    return decisions_text(await demo.wait_for(answer["messages"][0]["id"], *statuses))


@pytest.mark.parametrize("wrote", ["never", "by number", "by user id", "by number and user id"])
@pytest.mark.parametrize(
    "names", [{"wa_id": WA_ID}, {"user_id": BSUID}, {"wa_id": WA_ID, "user_id": BSUID}], ids=["number", "id", "both"]
)
async def test_a_stop_holds_by_whatever_names_it_is_told(demo: ApiClient, names: dict[str, str], wrote: str) -> None:
    if wrote != "never":
        if wrote != "by number":
            whatsapp(demo).give_bsuid(WA_ID, BSUID, hide_phone=wrote == "by user id")
        simulator = whatsapp(demo)
        await simulator.say(WA_ID, "/start")
        await demo.answer("whatsapp", 0)
    contact = {"profile": {"name": "Anna"}, "wa_id": WA_ID, "user_id": BSUID}
    await report(demo, "user_preferences", contacts=[contact], user_preferences=[wish(demo, "stop", **names)])
    assert "opted out of marketing" in await ad(demo, "UNDELIVERED")
    demo.pass_time(1)
    await report(demo, "user_preferences", contacts=[contact], user_preferences=[wish(demo, "resume", **names)])
    await ad(demo, "DELIVERED", "READ")


async def test_an_unknown_wish_loses_no_other(demo: ApiClient) -> None:
    wishes: list[Any] = [
        wish(demo, "signup", wa_id=WA_ID),
        {"category": 5},
        "odd",
        wish(demo, "stop", wa_id=WA_ID),
        {**wish(demo, "stop", wa_id=WA_ID), "category": "news"},
    ]
    await report(demo, "user_preferences", user_preferences=wishes)
    assert "opted out of marketing" in await ad(demo, "UNDELIVERED")
    kept = [document["event"].get("kind") async for document in demo.environment.runtime.db["inbox"].find()]
    assert kept.count("unreadable user_preferences") == len(wishes) - 1


async def test_to_be_wanted_again_takes_back_only_what_was_said_there(demo: ApiClient) -> None:
    """The person said stop in SMS, and that stays although they resume marketing in WhatsApp."""
    sms = demo.environment.simulators["sms"]
    await sms.say(sms.user_of(PHONE), "STOP")
    await sms.quiet()
    await report(demo, "user_preferences", user_preferences=[wish(demo, "stop", wa_id=WA_ID)])
    demo.pass_time(1)
    await report(demo, "user_preferences", user_preferences=[wish(demo, "resume", wa_id=WA_ID)])
    assert "opted out of marketing" in await ad(demo, "UNDELIVERED")

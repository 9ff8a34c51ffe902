"""What messages cost: told beforehand, in the story, and to callers."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from gateway.domain.model.price import Price
from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, Player, until
from tests.support.http.callback_receiver import opened_receiver
from tests.support.workload import ask
from webhooks.demo.environment import opened_town

TELEGRAM, SMS = {"channel": "telegram", "text": "Hi"}, {"channel": "sms", "text": "я" * 100}
TWO_PARTS = {"amount": "5.00", "currency": "RUB"}


@pytest.fixture
async def town(settings: Settings) -> AsyncIterator[Player]:
    prices = {"sms:demo": Price("2.50", "RUB"), "whatsapp:demo": Price("0.0315", "EUR")}
    async with opened_town(replace(settings, prices=prices)) as opened, Player.of(opened) as player:
        yield player


async def test_of_all_parts_and_only_of_what_was_taken(town: Player) -> None:
    async with opened_receiver() as shop:
        (item,) = await ask(town, [{"phone": PHONE}], TELEGRAM, SMS, callbackUrl=shop.url)
        assert [step.get("price") for step in item["plan"]] == [None, TWO_PARTS]
        story = await town.ended(item["id"], "DELIVERED")
        assert [(one["status"], one["price"]) for one in story["attempts"]] == [
            ("SKIPPED", None),
            ("DELIVERED", TWO_PARTS),
        ]

        async def told() -> bool:
            return any(
                event["newStatus"] == "DELIVERED" and event["price"] == TWO_PARTS for event in shop.of(item["id"])
            )

        await until(told)


async def test_a_template_is_one_message(town: Player) -> None:
    template = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}
    key = await town.send({"channel": "whatsapp", "text": "Hi " * 3000, "template": template})
    story = await town.ended(key, "DELIVERED", "READ")
    assert story["attempts"][0]["price"] == {"amount": "0.0315", "currency": "EUR"}


async def test_what_was_refused_costs_nothing(town: Player) -> None:
    town.town.simulators["sms"].faults.fail(21614)
    story = await town.ended(await town.send(SMS), "UNDELIVERED")
    assert story["attempts"][0]["price"] is None

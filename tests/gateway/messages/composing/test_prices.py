"""Tests prices of messages: in validation, in the story and in callbacks."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from gateway.domain.terms.price import Price
from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import opened_callback_receiver
from tests.support.workload import post_message
from webhooks.demo.environment import opened_environment

TELEGRAM, SMS = {"channel": "telegram", "text": "Hi"}, {"channel": "sms", "text": "я" * 100}
TWO_PARTS = {"amount": "5.00", "currency": "RUB"}


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[ApiClient]:
    prices = {"sms:demo": Price("2.50", "RUB"), "whatsapp:demo": Price("0.0315", "EUR")}
    async with opened_environment(replace(settings, prices=prices)) as environment, ApiClient.of(environment) as client:
        yield client


async def test_of_all_parts_and_only_of_what_was_taken(demo: ApiClient) -> None:
    async with opened_callback_receiver() as receiver:
        (item,) = await post_message(demo, [{"phone": PHONE}], TELEGRAM, SMS, callbackUrl=receiver.url)
        assert [step.get("price") for step in item["plan"]] == [None, TWO_PARTS]
        story = await demo.wait_for(item["id"], "DELIVERED")
        assert [(attempt["status"], attempt["price"]) for attempt in story["attempts"]] == [
            ("SKIPPED", None),
            ("DELIVERED", TWO_PARTS),
        ]

        async def has_reported() -> bool:
            return any(
                event["newStatus"] == "DELIVERED" and event["price"] == TWO_PARTS
                for event in receiver.events_of(item["id"])
            )

        await until(has_reported)


async def test_a_template_is_one_message(demo: ApiClient) -> None:
    template = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}
    key = await demo.send({"channel": "whatsapp", "text": "Hi " * 3000, "template": template})
    story = await demo.wait_for(key, "DELIVERED", "READ")
    assert story["attempts"][0]["price"] == {"amount": "0.0315", "currency": "EUR"}


async def test_what_was_refused_costs_nothing(demo: ApiClient) -> None:
    demo.environment.simulators["sms"].faults.fail(21614)
    story = await demo.wait_for(await demo.send(SMS), "UNDELIVERED")
    assert story["attempts"][0]["price"] is None

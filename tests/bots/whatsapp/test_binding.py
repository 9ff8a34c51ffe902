"""Pointing Meta's webhook at us, with Meta's real handshake."""

import pytest

from bots.whatsapp.binding import fields_of, read_binding
from gateway.domain.channel.errors import Misconfigured
from tests.bots.whatsapp.pair import Pair


async def test_bind_look_and_unbind(pair: Pair) -> None:
    url = f"{pair.url}/webhooks/whatsapp/shop"
    await pair.channel.bind(url)
    assert pair.meta.override == url
    binding = await pair.channel.binding()
    assert (binding.url, binding.problems, binding.quality, binding.tier) == (url, (), "GREEN", "TIER_10K")
    await pair.receive()
    await pair.channel.unbind()
    assert pair.meta.override == ""


async def test_a_webhook_that_fails_the_handshake_is_not_taken(pair: Pair) -> None:
    with pytest.raises(Misconfigured, match="2200"):
        await pair.channel.bind(f"{pair.url}/elsewhere")
    assert pair.meta.override == ""


async def test_a_refused_token_is_told_in_words(pair: Pair) -> None:
    pair.meta.faults.fail(190)
    with pytest.raises(Misconfigured, match="the access token is not accepted"):
        await pair.channel.binding()


@pytest.mark.parametrize(
    ("version", "field"),
    [
        ("v26.0", "whatsapp_business_manager_messaging_limit"),
        ("v24.0", "whatsapp_business_manager_messaging_limit"),
        ("v23.0", "messaging_limit_tier"),
    ],
)
def test_the_messaging_limit_is_asked_by_its_field_of_each_version(version: str, field: str) -> None:
    assert fields_of(version).rpartition(",")[2] == field
    assert read_binding({field: "TIER_250"}, "https://gateway.example").tier == "TIER_250"


def test_problems_in_words() -> None:
    number = {
        "webhook_configuration": {"whatsapp_business_account": "https://a.ru/1", "application": "https://b.ru/2"},
        "status": "FLAGGED",
        "quality_rating": "RED",
        "health_status": {
            "entities": [
                {"entity_type": "PHONE_NUMBER", "can_send_message": "AVAILABLE"},
                {"entity_type": "WABA", "can_send_message": "BLOCKED", "errors": [{"error_description": "No payment"}]},
            ]
        },
    }
    binding = read_binding(number, "https://a.ru")
    assert binding.url == "https://a.ru/1"
    assert binding.problems == (
        "the number is FLAGGED",
        "the number's quality is RED: people block or report it, and Meta may limit it",
        "WABA is BLOCKED: No payment",
        "template changes go to the app's callback URL, which is https://b.ru/2",
    )

"""Pointing Telegram at us, and asking how it stands."""

import pytest

from bots.telegram.simulator.server import demo_account
from gateway.domain.channel.errors import Misconfigured, Refused
from tests.bots.telegram.conftest import Shop


async def test_bind_is_repeatable_and_unbind_takes_it_away(shop: Shop) -> None:
    for _ in range(2):
        await shop.channel.bind(shop.url)
    assert shop.server.secret == shop.account.webhook_secret.reveal()
    assert shop.server.allowed == ["message", "edited_message", "callback_query", "my_chat_member"]
    assert (await shop.channel.binding()).problems == []
    for _ in range(2):
        await shop.channel.unbind()
    binding = await shop.channel.binding()
    assert (binding.url, binding.problems) == ("", [])


async def test_updates_wait_for_a_webhook(shop: Shop) -> None:
    await shop.channel.unbind()
    await shop.started("Anna")
    assert shop.events == []
    await shop.channel.bind(shop.url)
    await shop.server.quiet()
    assert len(shop.events) == 1


async def test_problems_are_told_in_words(shop: Shop) -> None:
    shop.server.webhook_url = "https://elsewhere.ru/hook"
    shop.server.allowed = ["message", "callback_query"]
    shop.server.answers.append((502, ""))
    shop.server.waiting += [{}] * 101
    binding = await shop.channel.binding()
    assert binding.url == "https://elsewhere.ru/hook"
    assert binding.problems == [
        "the webhook leaves out edited_message, my_chat_member",
        "a delivery failed at 2026-11-23 12:00 UTC: Wrong response from the webhook: 502",
        "101 updates wait to be delivered",
    ]


async def test_a_wrong_token_is_misconfigured(shop: Shop) -> None:
    shop.server.account = demo_account(shop.account.api_url)
    for ask in (shop.channel.binding, shop.channel.unbind):
        with pytest.raises(Misconfigured, match="Unauthorized"):
            await ask()


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://gateway.shop.ru/webhooks", "HTTPS"), ("https://gateway.shop.ru:5000/webhooks", "only on ports")],
)
async def test_an_address_that_telegram_does_not_take(shop: Shop, url: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        await shop.channel.bind(url)

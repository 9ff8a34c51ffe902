"""Pointing Telegram at us, and asking for the state of the webhook."""

import pytest

from bots.telegram.simulator.server import demo_account
from gateway.domain.channel.errors import Misconfigured, Refused
from tests.bots.telegram.conftest import Pair


async def test_bind_is_repeatable_and_unbind_takes_it_away(pair: Pair) -> None:
    for _ in range(2):
        await pair.channel.bind(pair.url)
    assert pair.server.secret == pair.account.webhook_secret.reveal()
    assert pair.server.allowed == ["message", "edited_message", "callback_query", "my_chat_member"]
    assert (await pair.channel.binding()).problems == []
    for _ in range(2):
        await pair.channel.unbind()
    binding = await pair.channel.binding()
    assert (binding.url, binding.problems) == ("", [])


async def test_updates_wait_for_a_webhook(pair: Pair) -> None:
    await pair.channel.unbind()
    await pair.start_user("Anna")
    assert pair.events == []
    await pair.channel.bind(pair.url)
    await pair.server.quiet()
    assert len(pair.events) == 1


async def test_problems_are_told_in_words(pair: Pair) -> None:
    pair.server.webhook_url = "https://elsewhere.ru/hook"
    pair.server.allowed = ["message", "callback_query"]
    pair.server.answers.append((502, ""))
    pair.server.waiting += [{}] * 101
    binding = await pair.channel.binding()
    assert binding.url == "https://elsewhere.ru/hook"
    assert binding.problems == [
        "the webhook leaves out edited_message, my_chat_member",
        "a delivery failed at 2026-11-23 12:00 UTC: Wrong response from the webhook: 502",
        "101 updates wait to be delivered",
    ]


async def test_a_wrong_token_is_misconfigured(pair: Pair) -> None:
    pair.server.account = demo_account(pair.account.api_url)
    for call in (pair.channel.binding, pair.channel.unbind):
        with pytest.raises(Misconfigured, match="Unauthorized"):
            await call()


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://gateway.shop.ru/webhooks", "HTTPS"), ("https://gateway.shop.ru:5000/webhooks", "only on ports")],
)
async def test_an_address_that_telegram_does_not_take(pair: Pair, url: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        await pair.channel.bind(url)

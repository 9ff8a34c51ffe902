"""The webhook: set, looked at, and taken away."""

import pytest

from gateway.domain.channel.errors import Misconfigured
from tests.bots.viber.bench import ANNA, opened


async def test_set_twice_and_looked_at() -> None:
    async with opened() as bench:
        url = bench.server.webhook_url
        bench.server.webhook_url = ""
        for _ in range(2):
            await bench.channel.bind(url)
        binding = await bench.channel.binding()
        assert (binding.url, binding.problems, binding.note) == (url, (), "")
        assert bench.events == []
        assert bench.forged == 0
        await bench.subscribers(ANNA)
        await bench.send()
        await bench.server.quiet()
        assert len(bench.events) == 2


async def test_taken_away() -> None:
    async with opened() as bench:
        await bench.channel.unbind()
        assert await bench.channel.binding() == await bench.channel.binding()
        assert (await bench.channel.binding()).url == ""
        await bench.server.say(bench.anna.user, "hello")
        await bench.server.quiet()
        assert bench.events == []


async def test_it_cannot_be_set_while_we_are_down() -> None:
    async with opened() as bench:
        bench.down = True
        with pytest.raises(Misconfigured, match="has to be running while it is bound"):
            await bench.channel.bind(f"{bench.url}/webhooks/viber/other")
        assert bench.server.webhook_url == f"{bench.url}/webhooks/viber/main"


async def test_another_accounts_address_does_not_believe_the_call() -> None:
    async with opened() as bench:
        with pytest.raises(Misconfigured):
            await bench.channel.bind(f"{bench.url}/webhooks/viber/other")


@pytest.mark.parametrize("url", ["http://gateway.shop.ru/webhooks/viber/main", "ftp://127.0.0.1/", "nowhere"])
async def test_only_https(url: str) -> None:
    async with opened() as bench:
        with pytest.raises(Misconfigured, match="https"):
            await bench.channel.bind(url)


async def test_what_is_wrong() -> None:
    async with opened(uri="another") as bench:
        bench.server.event_types = ("delivered", "conversation_started")
        binding = await bench.channel.binding()
        assert binding.problems == (
            "the webhook leaves out failed, seen",
            "the account's uri is 'demoshop', but our links open 'another'",
        )


async def test_a_missing_uri_is_worth_a_note() -> None:
    async with opened(uri="") as bench:
        binding = await bench.channel.binding()
        assert (binding.problems, binding.note) == ((), "set uri = 'demoshop' to have links that open a chat")
        assert bench.channel.start_link("code") is None

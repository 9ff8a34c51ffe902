"""The webhook: set, read, and deleted."""

import pytest

from gateway.domain.channel.errors import Misconfigured
from tests.bots.viber.pair import ANNA, opened_pair


async def test_set_twice_and_looked_at() -> None:
    async with opened_pair() as pair:
        url = pair.server.webhook_url
        pair.server.webhook_url = ""
        for _ in range(2):
            await pair.channel.bind(url)
        binding = await pair.channel.binding()
        assert (binding.url, binding.problems, binding.note) == (url, (), "")
        assert pair.events == []
        assert pair.forged == 0
        await pair.subscribers(ANNA)
        await pair.send()
        await pair.server.quiet()
        assert len(pair.events) == 2


async def test_taken_away() -> None:
    async with opened_pair() as pair:
        await pair.channel.unbind()
        assert await pair.channel.binding() == await pair.channel.binding()
        assert (await pair.channel.binding()).url == ""
        await pair.server.say(pair.anna.user, "hello")
        await pair.server.quiet()
        assert pair.events == []


async def test_it_cannot_be_set_while_we_are_down() -> None:
    async with opened_pair() as pair:
        pair.down = True
        with pytest.raises(Misconfigured, match="has to be running while it is bound"):
            await pair.channel.bind(f"{pair.url}/webhooks/viber/other")
        assert pair.server.webhook_url == f"{pair.url}/webhooks/viber/main"


async def test_another_accounts_address_does_not_believe_the_call() -> None:
    async with opened_pair() as pair:
        with pytest.raises(Misconfigured):
            await pair.channel.bind(f"{pair.url}/webhooks/viber/other")


@pytest.mark.parametrize("url", ["http://gateway.shop.ru/webhooks/viber/main", "ftp://127.0.0.1/", "nowhere"])
async def test_only_https(url: str) -> None:
    async with opened_pair() as pair:
        with pytest.raises(Misconfigured, match="https"):
            await pair.channel.bind(url)


async def test_what_is_wrong() -> None:
    async with opened_pair(uri="another") as pair:
        pair.server.event_types = ("delivered", "conversation_started")
        binding = await pair.channel.binding()
        assert binding.problems == (
            "the webhook leaves out failed, seen",
            "the account's uri is 'demoshop', but our links open 'another'",
        )


async def test_a_missing_uri_is_worth_a_note() -> None:
    async with opened_pair(uri="") as pair:
        binding = await pair.channel.binding()
        assert (binding.problems, binding.note) == ((), "set uri = 'demoshop' to have links that open a chat")
        assert pair.channel.start_link("code") is None

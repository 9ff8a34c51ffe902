"""What the channel declares."""

import aiohttp

from bots.sms import Account
from gateway.domain.channel.contract import Channel, ChannelPackage, Outside
from gateway.domain.channel.secret import Secret
from gateway.domain.channel.window import Mode
from gateway.domain.model.identifier import identifier
from gateway.domain.model.nouns import Address, Progress


async def test_facts_and_addresses() -> None:
    import bots.sms

    package: ChannelPackage = bots.sms
    async with aiohttp.ClientSession() as http:
        account = Account("AC1", Secret("c2f0a94d7b3e6185"), "MyShop")
        channel: Channel = package.open_accounts({"main": account}, Outside(http, "https://gateway.shop.ru", http))[
            "main"
        ]
        facts = channel.facts
        assert (facts.name, facts.receipts, facts.window.mode) == ("sms", Progress.DELIVERED, Mode.NONE)
        assert not any([facts.needs_start, facts.templates, facts.idempotent])
        assert channel.account == "main"
        assert channel.address_of(identifier("phone", "+79161234567")) == Address("sms", "main", "+79161234567")
        assert channel.start_link("code") is None
        await channel.close()


def test_the_token_is_not_shown() -> None:
    assert "c2f0" not in repr(Account("AC1", Secret("c2f0a94d7b3e6185"), "MyShop"))

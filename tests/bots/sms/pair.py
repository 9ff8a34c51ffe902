"""A pair: the real channel and the stand-in for Twilio, over HTTP, with a receiver of webhooks between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from msgspec.structs import replace

from bots.sms import Sms, open_accounts
from bots.sms.simulator import Server, demo_account
from gateway.domain.channel.contract import Outside
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Address
from tests.support.http.serving import app_of, listener, served, url_of
from tests.support.http.webhook_receiver import NOW, WebhookReceiver

ANNA = "+79161234567"


@dataclass(kw_only=True)
class Pair(WebhookReceiver):
    channel: Sms
    server: Server
    url: str

    @property
    def anna(self) -> Address:
        return Address("sms", "main", ANNA)


@asynccontextmanager
async def opened_pair(actual_sender: str = "+79990000009", **overrides: str | Secret) -> AsyncIterator[Pair]:
    """Open a pair. `actual_sender`: the one at the stand-in.

    `overrides`: our settings that differ from the stand-in's.
    """
    address = listener()
    url = url_of(address)
    account = replace(demo_account(f"{url}/sms"), sender=actual_sender)
    server = Server(account, f"{url}/webhooks/sms/main", clock=lambda: NOW)
    async with aiohttp.ClientSession() as http:
        channel = open_accounts({"main": replace(account, **overrides)}, Outside(http, url, http))["main"]
        assert isinstance(channel, Sms)
        pair = Pair(channel=channel, server=server, url=url)
        async with served(app_of(server.blueprint(), pair.webhooks()), address):
            try:
                yield pair
            finally:
                await server.close()

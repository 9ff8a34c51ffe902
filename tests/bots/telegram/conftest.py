"""A bot, the stand-in for Telegram, and a receiver of its webhooks: all of it over real HTTP.

Every update has to be one that aiogram accepts.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiogram.types import Update

from bots.telegram import Account, open_accounts
from bots.telegram.simulator.server import Server, demo_account
from gateway.domain.channel.contract import Outside
from gateway.domain.model.nouns import Address
from tests.support.http.serving import app_of, listener, served, url_of
from tests.support.http.webhook_receiver import WebhookReceiver


@dataclass(kw_only=True)
class Pair(WebhookReceiver):
    server: Server
    account: Account
    http: aiohttp.ClientSession
    url: str

    def address(self, user: str) -> Address:
        return Address("telegram", "shop", user)

    async def start_user(self, name: str, number: str = "+79990001122") -> str:
        """Let a person press Start; return their chat's id."""
        user = self.server.user_of(number)
        self.server.phone(user, name)
        await self.server.say(user, "/start")
        await self.server.quiet()
        return user


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    address = listener()
    base = url_of(address)
    account = demo_account(f"{base}/telegram")
    async with aiohttp.ClientSession() as http:
        channel = open_accounts({"shop": account}, Outside(http, base, http))["shop"]
        server = Server(account, f"{base}/webhooks/telegram/shop", lambda: receiver.now)
        receiver = Pair(channel=channel, server=server, account=account, http=http, url=server.webhook_url)
        async with served(app_of(server.blueprint(), receiver.webhooks()), address):
            yield receiver
            await server.close()
            await channel.close()
        for call in receiver.calls:
            Update.model_validate_json(call.body)

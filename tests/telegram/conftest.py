"""A bot, the stand-in for Telegram, and an ear for its webhooks: all of it over real HTTP."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import pytest
from aiogram.types import Update
from quart import Quart, Response, request

from bots.telegram import Account, open_accounts
from bots.telegram.simulator import Server, demo_account
from gateway.channel import Call, Channel, Outside
from gateway.model import Address, Event
from tests.serving import app_of, free_port, served

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Shop:
    """Everything that a test needs. `statuses`: what the next webhooks are answered instead of 200."""

    server: Server
    account: Account
    channel: Channel
    http: aiohttp.ClientSession
    url: str
    events: list[Event] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def address(self, user: str) -> Address:
        return Address("telegram", "shop", user)

    async def started(self, name: str, number: str = "+79990001122") -> str:
        """A person who has pressed Start; returns their chat's id."""
        user = self.server.user_of(number)
        self.server.phone(user, name)
        await self.server.say(user, "/start")
        await self.server.quiet()
        return user


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    base = f"http://127.0.0.1:{(port := free_port())}"
    account = demo_account(f"{base}/telegram")
    async with aiohttp.ClientSession() as http:
        channel = open_accounts({"shop": account}, Outside(http, base, http))["shop"]
        server = Server(account, f"{base}/webhooks/telegram/shop", lambda: NOW)
        shop = Shop(server, account, channel, http, server.webhook_url)
        async with served(_listening(app_of(server.blueprint()), shop), port):
            yield shop
            await server.close()
            await channel.close()


def _listening(app: Quart, shop: Shop) -> Quart:
    @app.post("/webhooks/telegram/shop")
    async def take() -> Response:
        body = await request.body
        if shop.statuses:
            return Response(status=shop.statuses.pop(0))
        headers = {key.lower(): value for key, value in request.headers.items()}
        call = Call("POST", shop.url, headers, body, NOW)
        shop.channel.verify(call)
        Update.model_validate(json.loads(body))
        shop.events += shop.channel.parse(call).events
        return Response()

    return app

"""A pair: our channel and the stand-in for Meta, over HTTP, with a receiver of webhooks between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bots.whatsapp import WhatsApp, open_accounts
from bots.whatsapp.simulator.server import Server, demo_account
from gateway.domain.channel.contract import Outside
from gateway.domain.model.event import Inbound, Receipt
from gateway.domain.model.nouns import Address, Content, TemplateMessage
from tests.support.http.serving import app_of, listener, served, url_of
from tests.support.http.webhook_receiver import WebhookReceiver

ANNA = "79990001122"


@dataclass(kw_only=True)
class Pair(WebhookReceiver):
    channel: WhatsApp
    meta: Server
    url: str

    async def send(self, message: Content | TemplateMessage | str, user: str = ANNA, key: str = "n1.0.0") -> str:
        content = Content(message) if isinstance(message, str) else message
        return await self.channel.send(Address("whatsapp", "shop", user), content, key=key)

    async def receive(self, user: str = ANNA, text: str = "hi") -> Inbound:
        """Let a person write, which opens the window; return the event."""
        await self.meta.say(user, text)
        await self.meta.quiet()
        return self.parsed_events(Inbound)[-1]

    async def receipts(self) -> list[Receipt]:
        await self.meta.quiet()
        return self.parsed_events(Receipt)


@asynccontextmanager
async def opened_pair() -> AsyncIterator[Pair]:
    meta_address, gateway_address = listener(), listener()
    account = demo_account(f"{url_of(meta_address)}/whatsapp")
    public_url = url_of(gateway_address)
    async with aiohttp.ClientSession() as http:
        outside = Outside(http, public_url, http)
        channel = open_accounts({"shop": account}, outside)["shop"]
        meta = Server(account, outside.webhook_url("whatsapp", "shop"), lambda: pair.now)
        pair = Pair(channel=channel, meta=meta, url=public_url)
        async with (
            served(app_of(pair.meta.blueprint()), meta_address),
            served(app_of(pair.webhooks()), gateway_address),
        ):
            yield pair
            await pair.meta.close()

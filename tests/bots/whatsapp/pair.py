"""Meta's stand-in, our channel, and the webhook between them, all over real HTTP."""

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

    async def send(self, what: Content | TemplateMessage | str, user: str = ANNA, key: str = "n1.0.0") -> str:
        content = Content(what) if isinstance(what, str) else what
        return await self.channel.send(Address("whatsapp", "shop", user), content, key=key)

    async def hear(self, user: str = ANNA, text: str = "hi") -> Inbound:
        """A person writes, which opens the window; the event that it makes."""
        await self.meta.say(user, text)
        await self.meta.quiet()
        return self.events_of(Inbound)[-1]

    async def receipts(self) -> list[Receipt]:
        await self.meta.quiet()
        return self.events_of(Receipt)


@asynccontextmanager
async def a_bench() -> AsyncIterator[Pair]:
    at, ours = listener(), listener()
    account = demo_account(f"{url_of(at)}/whatsapp")
    public_url = url_of(ours)
    async with aiohttp.ClientSession() as http:
        outside = Outside(http, public_url, http)
        channel = open_accounts({"shop": account}, outside)["shop"]
        meta = Server(account, outside.webhook_url("whatsapp", "shop"), lambda: pair.now)
        pair = Pair(channel=channel, meta=meta, url=public_url)
        async with served(app_of(pair.meta.blueprint()), at), served(app_of(pair.webhooks()), ours):
            yield pair
            await pair.meta.close()

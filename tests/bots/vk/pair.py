"""A pair: the real channel and the stand-in for VK, over HTTP, with a receiver of webhooks between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec.structs import replace

from bots.vk import Account, Vk, open_accounts
from bots.vk.simulator.server import Server, demo_account
from gateway.domain.channel.contract import Outside
from gateway.domain.model.nouns import Address, Content, TemplateMessage
from gateway.runtime.runtime import opened_outside
from gateway.runtime.settings.settings import Settings
from tests.support.http.serving import app_of, listener, served, url_of
from tests.support.http.webhook_receiver import WebhookReceiver

T = TypeVar("T")


@dataclass(kw_only=True)
class Pair(WebhookReceiver):
    channel: Vk
    vk: Server
    account: Account
    outside: Outside
    url: str

    @property
    def tries(self) -> list[str]:
        """Return the X-Retry-Counter of each call."""
        return [call.headers.get("x-retry-counter", "") for call in self.calls]

    @property
    def webhook_url(self) -> str:
        return f"{self.url}/webhooks/vk/shop"

    def address(self, user: str) -> Address:
        return Address("vk", "shop", user)

    async def send(self, user: str, message: Content | TemplateMessage | str, key: str = "n1.0.0") -> str:
        content = Content(message) if isinstance(message, str) else message
        return await self.channel.send(self.address(user), content, key=key)

    async def start_user(self, number: str = "+79990001122", code: str = "") -> str:
        """Let a person press Start; return their id."""
        user = self.vk.user_of(number)
        await self.vk.start(user, code)
        await self.vk.quiet()
        return user

    async def events_of(self, kind: type[T]) -> list[T]:
        await self.vk.quiet()
        return self.parsed_events(kind)

    def channel_with(self, **fields: Any) -> Vk:
        """Return the channel under other settings."""
        account = replace(self.account, **fields)
        channel = open_accounts({"shop": account}, self.outside)["shop"]
        assert isinstance(channel, Vk)
        return channel


@asynccontextmanager
async def opened_pair(**fields: Any) -> AsyncIterator[Pair]:
    """Open a pair. `fields`: settings of the community that differ from the demo's."""
    vk_address, gateway_address = listener(), listener()
    account = replace(demo_account(f"{url_of(vk_address)}/vk"), **fields)
    url = url_of(gateway_address)
    async with opened_outside(Settings(public_url=url, private_files=True)) as outside:
        channel = open_accounts({"shop": account}, outside)["shop"]
        assert isinstance(channel, Vk)
        vk = Server(account, channel.webhook_url, lambda: pair.now)
        pair = Pair(channel=channel, vk=vk, account=account, outside=outside, url=url)
        async with served(app_of(vk.blueprint()), vk_address), served(app_of(pair.webhooks()), gateway_address):
            yield pair
            await vk.close()
            await channel.close()

"""The real channel and the stand-in for VK, face to face over HTTP, with a receiver of webhooks between them."""

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
        """The X-Retry-Counter of each call."""
        return [call.headers.get("x-retry-counter", "") for call in self.calls]

    @property
    def webhook_url(self) -> str:
        return f"{self.url}/webhooks/vk/shop"

    def address(self, user: str) -> Address:
        return Address("vk", "shop", user)

    async def send(self, user: str, what: Content | TemplateMessage | str, key: str = "n1.0.0") -> str:
        content = Content(what) if isinstance(what, str) else what
        return await self.channel.send(self.address(user), content, key=key)

    async def started(self, number: str = "+79990001122", code: str = "") -> str:
        """A person who has pressed Start; returns their id."""
        user = self.vk.user_of(number)
        await self.vk.start(user, code)
        await self.vk.quiet()
        return user

    async def of(self, kind: type[T]) -> list[T]:
        await self.vk.quiet()
        return self.events_of(kind)

    def other(self, **fields: Any) -> Vk:
        """The channel under other settings."""
        account = replace(self.account, **fields)
        channel = open_accounts({"shop": account}, self.outside)["shop"]
        assert isinstance(channel, Vk)
        return channel


@asynccontextmanager
async def a_bench(**fields: Any) -> AsyncIterator[Pair]:
    """`fields`: what the community's settings have instead of the demo's."""
    at, ours = listener(), listener()
    account = replace(demo_account(f"{url_of(at)}/vk"), **fields)
    url = url_of(ours)
    async with opened_outside(Settings(public_url=url, private_files=True)) as outside:
        channel = open_accounts({"shop": account}, outside)["shop"]
        assert isinstance(channel, Vk)
        vk = Server(account, channel.webhook_url, lambda: pair.now)
        pair = Pair(channel=channel, vk=vk, account=account, outside=outside, url=url)
        async with served(app_of(vk.blueprint()), at), served(app_of(pair.webhooks()), ours):
            yield pair
            await vk.close()
            await channel.close()

"""The real channel and the stand-in for VK, face to face over HTTP, with a receiver of webhooks between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import aiohttp
from msgspec.structs import replace
from quart import Quart, Response, request

from bots import files
from bots.vk import Account, Vk, open_accounts
from bots.vk.simulator import Server, demo_account
from gateway.channel import Call, Forged, Outside
from gateway.model import Address, Content, Event, TemplateMessage
from tests.serving import app_of, free_port, served

T = TypeVar("T")


@dataclass
class Bench:
    """`events` is what the channel read from the webhooks; `forged` is set by one that it did not believe.

    `statuses`: what the next webhooks are answered instead of 200. `tries`: the X-Retry-Counter of each. `now`: VK's.
    """

    channel: Vk
    vk: Server
    account: Account
    http: aiohttp.ClientSession
    url: str
    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    events: list[Event] = field(default_factory=list)
    forged: asyncio.Event = field(default_factory=asyncio.Event)
    statuses: list[int] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)

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
        return [event for event in self.events if isinstance(event, kind)]

    def pass_time(self, **length: float) -> None:
        self.now += timedelta(**length)

    def other(self, **fields: Any) -> Vk:
        """The channel under other settings."""
        account = replace(self.account, **fields)
        way = open_accounts({"shop": account}, Outside(self.http, self.url, self.http))["shop"]
        assert isinstance(way, Vk)
        return way


@asynccontextmanager
async def a_bench(**fields: Any) -> AsyncIterator[Bench]:
    """`fields`: what the community's settings have instead of the demo's."""
    port, our_port = free_port(), free_port()
    account = replace(demo_account(f"http://127.0.0.1:{port}/vk"), **fields)
    url = f"http://127.0.0.1:{our_port}"
    async with aiohttp.ClientSession() as http, files.session(private=True) as outside:
        channel = open_accounts({"shop": account}, Outside(http, url, outside))["shop"]
        assert isinstance(channel, Vk)
        vk = Server(account, channel.webhook_url, lambda: bench.now)
        bench = Bench(channel, vk, account, http, url)
        async with served(app_of(vk.blueprint()), port), served(_webhook(bench), our_port):
            yield bench
            await vk.close()
            await channel.close()


def _webhook(bench: Bench) -> Quart:
    app = Quart("webhook")

    @app.post("/webhooks/vk/shop")
    async def take() -> Response:
        bench.tries.append(request.headers.get("X-Retry-Counter", ""))
        if bench.statuses:
            return Response(status=bench.statuses.pop(0))
        headers = {key.lower(): value for key, value in request.headers.items()}
        body: bytes = await request.body
        call = Call("POST", bench.webhook_url, headers, body, bench.now)
        try:
            bench.channel.verify(call)
        except Forged as forged:
            bench.forged.set()
            return Response(status=forged.status)
        parsed = bench.channel.parse(call)
        bench.events += parsed.events
        return Response(parsed.answer.body, parsed.answer.status, content_type=parsed.answer.content_type)

    return app

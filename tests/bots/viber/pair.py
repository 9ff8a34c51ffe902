"""A pair: the real channel and the stand-in for Viber, over HTTP, with a receiver of webhooks between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace
from quart import Blueprint, Response, request

from bots.viber import Viber, open_accounts
from bots.viber.simulator.server import Server, demo_account
from gateway.domain.model.nouns import Address, Content
from gateway.runtime.runtime import opened_outside
from gateway.runtime.settings.settings import Settings
from tests.support.http.serving import app_of, listener, served, url_of
from tests.support.http.webhook_receiver import NOW, WebhookReceiver

ANNA, BORIS = "+79161234567", "+79160000011"


@dataclass(kw_only=True)
class Pair(WebhookReceiver):
    channel: Viber
    server: Server
    url: str
    measured: int = 0

    @property
    def anna(self) -> Address:
        return self.address(ANNA)

    def address(self, phone: str) -> Address:
        return Address("viber", "main", self.server.user_of(phone))

    async def subscribers(self, *phones: str) -> list[Address]:
        """Let these people write to us, and forget the events; return their addresses."""
        addresses = [self.address(phone) for phone in phones]
        for subscriber in addresses:
            await self.server.say(subscriber.user, "hello")
        await self.server.quiet()
        self.events.clear()
        return addresses

    async def send(self, content: Content | str = "hello", phone: str = ANNA) -> str:
        content = Content(content) if isinstance(content, str) else content
        return await self.channel.send(self.address(phone), content, key="n1:0:0")

    def files(self) -> Blueprint:
        """Return the server of callers' files: `/files/<size>/<name>`. `measured` counts the requests for a size."""
        blueprint = Blueprint("files", __name__)
        blueprint.route("/<int:size>/<name>", methods=["HEAD"])(self._file)
        return blueprint

    async def _file(self, size: int, name: str) -> Response:
        """Answer with the file's size, or with its compressed size where the client accepts compression."""
        self.measured += 1
        size = size // 2 if "gzip" in request.headers.get("Accept-Encoding", "") else size
        if name.startswith("elsewhere"):
            return Response("", 302, headers={"Location": "http://a..b/x.pdf"})
        response = Response("", 404 if name.startswith("missing") else 200)
        response.headers["Content-Length"] = str(size)
        if name.startswith("photo"):
            response.content_type = "image/jpeg"
        return response


class Clock:
    """The stand-in's time. Call it to read it."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, length: timedelta) -> None:
        self.now += length


@asynccontextmanager
async def opened_pair(clock: Clock | None = None, **overrides: Any) -> AsyncIterator[Pair]:
    """Open a pair. `overrides`: fields in which our settings differ from the stand-in's."""
    address = listener()
    url = url_of(address)
    account = demo_account(f"{url}/viber")
    server = Server(account, f"{url}/webhooks/viber/main", clock or Clock())
    async with opened_outside(Settings(public_url=url, private_files=True)) as outside:
        channel = open_accounts({"main": replace(account, **overrides)}, outside)["main"]
        assert isinstance(channel, Viber)
        pair = Pair(channel=channel, server=server, url=url)
        async with served(app_of(server.blueprint(), pair.webhooks(), pair.files()), address):
            try:
                yield pair
            finally:
                await channel.close()
                await server.close()


async def outcomes(*sends: Any) -> list[Any]:
    """Return what each send led to: its id, or its error."""
    return await asyncio.gather(*sends, return_exceptions=True)

"""The real channel and the stand-in for Viber, face to face over HTTP, with a receiver of webhooks between them."""

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
        return self.at(ANNA)

    def at(self, phone: str) -> Address:
        return Address("viber", "main", self.server.user_of(phone))

    async def subscribers(self, *phones: str) -> list[Address]:
        """These people have written to us, and we have forgotten what."""
        found = [self.at(phone) for phone in phones]
        for address in found:
            await self.server.say(address.user, "hello")
        await self.server.quiet()
        self.events.clear()
        return found

    async def send(self, content: Content | str = "hello", phone: str = ANNA) -> str:
        content = Content(content) if isinstance(content, str) else content
        return await self.channel.send(self.at(phone), content, key="n1:0:0")

    def files(self) -> Blueprint:
        """Where callers keep their files: `/files/<size>/<name>`; `measured` counts who asks for a size."""
        blueprint = Blueprint("files", __name__)
        blueprint.route("/<int:size>/<name>", methods=["HEAD"])(self._file)
        return blueprint

    async def _file(self, size: int, name: str) -> Response:
        """Whoever would take it compressed is told how long it is then."""
        self.measured += 1
        size = size // 2 if "gzip" in request.headers.get("Accept-Encoding", "") else size
        if name.startswith("elsewhere"):
            return Response("", 302, headers={"Location": "http://a..b/x.pdf"})
        response = Response("", 404 if name.startswith("missing") else 200)
        response.headers["Content-Length"] = str(size)
        return response


class Clock:
    """The stand-in's time."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, length: timedelta) -> None:
        self.now += length


@asynccontextmanager
async def opened(clock: Clock | None = None, **wrong: Any) -> AsyncIterator[Pair]:
    """A bench whose channel lives on the stand-in. `wrong`: fields in which our settings differ from the truth."""
    at = listener()
    url = url_of(at)
    account = demo_account(f"{url}/viber")
    server = Server(account, f"{url}/webhooks/viber/main", clock or Clock())
    async with opened_outside(Settings(public_url=url, private_files=True)) as outside:
        channel = open_accounts({"main": replace(account, **wrong)}, outside)["main"]
        assert isinstance(channel, Viber)
        pair = Pair(channel=channel, server=server, url=url)
        async with served(app_of(server.blueprint(), pair.webhooks(), pair.files()), at):
            try:
                yield pair
            finally:
                await channel.close()
                await server.close()


async def everybody(*sends: Any) -> list[Any]:
    """What each send came to: its id, or its error."""
    return await asyncio.gather(*sends, return_exceptions=True)

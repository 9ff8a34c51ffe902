"""The real channel and the stand-in for Twilio, face to face over HTTP, with a receiver of webhooks between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from msgspec.structs import replace
from quart import Blueprint, Response, request

from bots.sms import Sms, open_accounts
from bots.sms.simulator import Server, demo_account
from gateway.channel import Call, Forged, Outside
from gateway.model import Address, Event
from gateway.settings import Secret
from tests.serving import app_of, free_port, served

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNA = "+79161234567"


@dataclass
class Bench:
    """`events` is what the channel read from the webhooks; `forged` counts those it did not believe."""

    channel: Sms
    server: Server
    url: str
    events: list[Event] = field(default_factory=list)
    forged: int = 0
    down: bool = False

    @property
    def anna(self) -> Address:
        return Address("sms", "main", ANNA)

    def webhooks(self) -> Blueprint:
        blueprint = Blueprint("webhooks", __name__)
        blueprint.post("/sms/main")(self._receive)
        return blueprint

    async def _receive(self) -> Response:
        if self.down:
            return Response("", 503)
        headers = {key.lower(): value for key, value in request.headers.items()}
        body: bytes = await request.body
        call = Call(request.method, f"{self.url}/webhooks/sms/main", headers, body, NOW, request.args.to_dict())
        try:
            self.channel.verify(call)
        except Forged as error:
            self.forged += 1
            return Response("", error.status)
        parsed = self.channel.parse(call)
        self.events.extend(parsed.events)
        return Response(parsed.answer.body, parsed.answer.status, content_type=parsed.answer.content_type)


@asynccontextmanager
async def opened(truth: str = "+79990000009", **wrong: str | Secret) -> AsyncIterator[Bench]:
    """A bench whose channel lives on the stand-in. `wrong`: fields in which our settings differ from the truth."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    account = replace(demo_account(f"{url}/sms"), sender=truth)
    server = Server(account, f"{url}/webhooks/sms/main", clock=lambda: NOW)
    async with aiohttp.ClientSession() as http:
        channel = open_accounts({"main": replace(account, **wrong)}, Outside(http, url, http))["main"]
        assert isinstance(channel, Sms)
        bench = Bench(channel, server, url)
        async with served(app_of(server.blueprint(), bench.webhooks()), port):
            try:
                yield bench
            finally:
                await server.close()

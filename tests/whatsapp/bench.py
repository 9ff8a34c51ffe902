"""Meta's stand-in, our channel, and the webhook between them, all over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import aiohttp
from quart import Quart, Response, request

from bots.whatsapp import WhatsApp, open_accounts
from bots.whatsapp.simulator import Server, demo_account
from gateway.channel import Call, Forged, Outside
from gateway.model import Address, Content, Event, Inbound, Receipt, TemplateMessage
from tests.serving import app_of, free_port, served

ANNA = "79990001122"
T = TypeVar("T")


@dataclass
class Bench:
    """`events` is what came in. `now` is the clock of Meta's stand-in."""

    channel: WhatsApp
    meta: Server
    url: str
    now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)
    events: list[Event] = field(default_factory=list)

    async def send(self, what: Content | TemplateMessage | str, user: str = ANNA, key: str = "n1.0.0") -> str:
        content = Content(what) if isinstance(what, str) else what
        return await self.channel.send(Address("whatsapp", "shop", user), content, key=key)

    async def hear(self, user: str = ANNA, text: str = "hi") -> Inbound:
        """A person writes, which opens the window; the event that it makes."""
        await self.meta.say(user, text)
        await self.meta.quiet()
        return self.of(Inbound)[-1]

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.events if isinstance(event, kind)]

    async def receipts(self) -> list[Receipt]:
        await self.meta.quiet()
        return self.of(Receipt)

    def pass_time(self, **length: float) -> None:
        self.now += timedelta(**length)


@asynccontextmanager
async def a_bench() -> AsyncIterator[Bench]:
    meta_port, our_port = free_port(), free_port()
    account = demo_account(f"http://127.0.0.1:{meta_port}/whatsapp")
    public_url = f"http://127.0.0.1:{our_port}"
    async with aiohttp.ClientSession() as http:
        outside = Outside(http, public_url, http)
        channel = open_accounts({"shop": account}, outside)["shop"]
        bench = Bench(channel, Server(account, outside.webhook_url("whatsapp", "shop"), lambda: bench.now), public_url)
        async with served(app_of(bench.meta.blueprint()), meta_port), served(_webhook(bench), our_port):
            yield bench
            await bench.meta.close()


def _webhook(bench: Bench) -> Quart:
    app = Quart("webhook")

    @app.route("/webhooks/whatsapp/shop", methods=["GET", "POST"])
    async def take() -> Response:
        headers = {key.lower(): value for key, value in request.headers.items()}
        body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
        call = Call(request.method, request.url, headers, body, bench.now, request.args.to_dict())
        try:
            bench.channel.verify(call)
        except Forged as forged:
            return Response(str(forged), forged.status)
        parsed = bench.channel.parse(call)
        bench.events.extend(parsed.events)
        return Response(parsed.answer.body, parsed.answer.status, content_type=parsed.answer.content_type)

    return app

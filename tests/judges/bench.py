"""A stand-in on a port of this machine, and a receiver that keeps its webhooks for somebody else's parser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from quart import Blueprint, Response, request

import bots
from bots.simulation.simulation import Simulator
from gateway.domain.channel.calls import Call
from tests.support.http.serving import app_of, listener, served, url_of
from tests.support.http.webhook_receiver import NOW

PHONE = "+79990001122"


@dataclass(kw_only=True)
class Bench:
    """A stand-in at `url`, and the webhooks that it has posted to `webhook_url`, each answered with `answer`."""

    server: Any
    account: Any
    url: str
    webhook_url: str
    answer: str = "ok"
    calls: list[Call] = field(default_factory=list)

    def webhooks(self) -> Blueprint:
        """Return a blueprint with the receiver."""
        blueprint = Blueprint("webhooks", __name__)
        blueprint.add_url_rule("/", view_func=self._receive, methods=["GET", "POST"])
        return blueprint

    async def taken(self) -> list[Call]:
        """Return the webhooks since the last time, once all have been posted."""
        await self.server.quiet()
        calls, self.calls = self.calls, []
        return calls

    async def start(self, name: str = "Anna", number: str = PHONE) -> str:
        """Let a person begin a chat; return their id at the provider, and forget the webhooks of it."""
        user = str(self.server.user_of(number))
        self.server.phone(user, name)
        await self.server.start(user)
        await self.taken()
        return user

    async def _receive(self) -> Response:
        headers = {key.lower(): value for key, value in request.headers.items()}
        body = await request.get_data(cache=True, as_text=False, parse_form_data=False)
        self.calls.append(Call(request.method, request.url, headers, body, NOW, request.args.to_dict()))
        return Response(self.answer)


@asynccontextmanager
async def opened_bench(channel: str) -> AsyncIterator[Bench]:
    """Open the bench of a channel."""
    address, module = listener(), bots.simulator(channel)
    base = url_of(address)
    account = module.demo_account(f"{base}/{channel}")
    server: Simulator = module.Server(account, f"{base}/webhooks/")
    bench = Bench(server=server, account=account, url=f"{base}/{channel}", webhook_url=server.webhook_url)
    async with served(app_of(server.blueprint(), bench.webhooks()), address):
        yield bench
        await server.close()

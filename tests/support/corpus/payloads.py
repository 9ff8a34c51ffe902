"""Plays the payload files through the whole gateway: their accounts, their calls, and a stand-in for each provider."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

from msgspec.structs import replace
from quart import Quart

import bots
from bots.simulation.simulation import Simulator
from bots.viber.simulator.server import Server as Viber
from gateway.domain.api.roles import Role
from gateway.domain.channel.calls import Answer, Call
from gateway.domain.channel.secret import OwnSecret
from gateway.runtime.runtime import Clock, Runtime, opened
from gateway.runtime.settings.accounts import read_account
from gateway.runtime.settings.settings import Settings, load
from storage.access import keys
from storage.engine.database import indexes_of
from tests.support.client import Caller, opened_caller, until
from tests.support.http.callback_receiver import opened_callback_receiver
from tests.support.http.serving import served
from webhooks.app import create_app
from webhooks.demo.environment import running_worker
from webhooks.http.server import listener, url_of

TESTS = Path(__file__).parents[2]
PAYLOADS = sorted((TESTS / "bots").glob("*/payloads/*.json"))
PUBLIC_URL = "https://gateway.shop.ru"
RECEIVED_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
UNSENT = [None, "NEW", "SCHEDULED", "DELAYED", "PENDING"]
"""The statuses of what has not left yet, as they are stored: the first of them is not stored at all."""


def channel_named(file: Path) -> str:
    """Return the channel that a payload belongs to: tests/bots/<channel>/payloads/<file>."""
    return file.parents[1].name


def accounts_of(channel: str) -> dict[str, Any]:
    """Return the channel's accounts in tests/support/corpus/accounts.toml."""
    tables = load({"GATEWAY_ACCOUNTS": str(TESTS / "support/corpus/accounts.toml")}).accounts[channel]
    return {key: read_account(bots.package(channel).Account, key, table) for key, table in tables.items()}


def read(file: Path) -> tuple[dict[str, Any], Call]:
    """Return a payload file and the call in it, received at RECEIVED_AT."""
    payload = json.loads(file.read_text("utf-8"))
    call = payload["call"]
    url = f"{PUBLIC_URL}/webhooks/{channel_named(file)}/{payload['account']}"
    headers = {key.lower(): value for key, value in call.get("headers", {}).items()}
    body = call.get("body", "").encode()
    return payload, Call(call["method"], url, headers, body, RECEIVED_AT, call.get("query", {}))


@dataclass(frozen=True)
class Shop:
    """A gateway with the accounts of the payload files, a stand-in for each (by `channel:account`), and a client.

    callbacks: what has been posted to the accounts' own webhook.
    """

    runtime: Runtime
    api: Caller
    simulators: Mapping[str, Simulator]
    callbacks: list[Any]

    async def deliver(self, file: Path) -> Answer:
        """Make the call of a payload file. Returns the gateway's answer."""
        payload, call = read(file)
        for event in payload.get("events", ()):
            self._introduce(event)
        path = call.url.removeprefix(PUBLIC_URL)
        async with self.api.http.request(
            call.method, path, data=call.body, headers=dict(call.headers), params=dict(call.query)
        ) as response:
            return Answer(response.status, await response.text(), response.headers["Content-Type"])

    async def settle(self) -> None:
        """Wait until all that was delivered has had its effect."""
        await until(self._idle)

    def _introduce(self, event: Mapping[str, Any]) -> None:
        """Let the stand-in take messages to the person of an event: the payload file says that they have a chat."""
        if address := event.get("address"):
            simulator = self.simulators[f"{address['channel']}:{address['account']}"]
            simulator.phone(address["user"]).last_wrote_at = self.runtime.clock()
            if isinstance(simulator, Viber):
                simulator.subscribed.add(address["user"])

    async def _idle(self) -> bool | None:
        """Tell whether no event, no callback, and no message that has not been sent yet, is left to be worked on."""
        due = {"due_at": {"$exists": True}}
        queues = {"inbox": due, "callbacks": due, "notifications": {**due, "status": {"$in": UNSENT}}}
        for name, query in queues.items():
            if await self.runtime.db[name].find_one(query):
                return None
        return True

    async def forget(self) -> None:
        """Forget everything but the key."""
        for name in indexes_of(self.runtime.settings.kept, self.runtime.settings.traced):
            if name != "keys":
                await self.runtime.db[name].delete_many({})
        self.callbacks.clear()


@asynccontextmanager
async def opened_shop(settings: Settings) -> AsyncIterator[Shop]:
    """Run the gateway, as it was when the payload files were received."""
    clock = Clock()
    clock.ahead = RECEIVED_AT - clock()
    async with opened_callback_receiver() as receiver, opened_stand_ins(clock) as (simulators, accounts):
        settings = replace(
            settings,
            accounts=accounts,
            public_url=PUBLIC_URL,
            callbacks=dict.fromkeys(simulators, receiver.url),
            limits=dict.fromkeys(simulators, dict.fromkeys(("account", "person", "group"), "none")),
            callback_secrets=(OwnSecret(token_hex(20)),),
            private_callbacks=True,
            kept=timedelta(days=3650),  # the payload files are old
        )
        async with opened(settings, clock) as runtime, served(create_app(runtime)) as url, running_worker(runtime):
            key = await keys.create_key(runtime.db, "shop", clock(), Role.ADMIN)
            async with opened_caller(url, key) as api:
                yield Shop(runtime, api, simulators, receiver.accepted)


@asynccontextmanager
async def opened_stand_ins(clock: Clock) -> AsyncIterator[tuple[dict[str, Simulator], dict[str, dict[str, Any]]]]:
    """Serve a stand-in for each account of the payload files. Yields them by `channel:account`, and the accounts.

    Their own webhooks lead nowhere, since the only calls of the providers are to be those of the payload files.
    """
    socket, app = listener(), Quart("stand-ins")
    app.add_url_rule("/taken", view_func=_take, methods=["POST"])
    simulators: dict[str, Simulator] = {}
    accounts: dict[str, dict[str, Any]] = {}
    for channel in bots.CHANNELS:
        for name, account in accounts_of(channel).items():
            here = replace(account, api_url=f"{url_of(socket)}/{channel}/{name}")
            simulator = bots.simulator(channel).Server(here, f"{url_of(socket)}/taken", clock)
            app.register_blueprint(simulator.blueprint(), name=f"{channel}-{name}", url_prefix=f"/{channel}/{name}")
            simulators[f"{channel}:{name}"], accounts.setdefault(channel, {})[name] = simulator, here
    async with served(app, socket):
        try:
            yield simulators, accounts
        finally:
            for simulator in simulators.values():
                await simulator.close()


async def _take() -> str:
    return ""

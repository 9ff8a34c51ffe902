"""Two accounts of each channel at one gateway, and a provider's calls as they would be at the other account."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from msgspec.structs import asdict
from msgspec.structs import replace as replaced

from bots.simulation.simulation import Simulator
from bots.sms.inbound import signature
from bots.viber.inbound.webhook import sign as viber_sign
from bots.viber.simulator.server import Server as Viber
from bots.whatsapp.inbound.webhook import sign as whatsapp_sign
from gateway.domain.channel.calls import Call
from gateway.domain.channel.secret import Secret
from gateway.runtime.runtime import Clock, Runtime
from gateway.runtime.settings.settings import Settings
from tests.support.client import ApiClient, until
from tests.support.corpus.payloads import UNSENT
from webhooks.demo.environment import ACCOUNT, Environment, opened_simulators, running_gateway
from webhooks.http.server import listener, url_of

OTHER = "other"

Sign = Callable[[Any, Call], Mapping[str, str]]
SIGNATURES: Mapping[str, Sign] = {
    "viber": lambda there, call: {"X-Viber-Content-Signature": viber_sign(there.account.auth_token, call.body)},
    "whatsapp": lambda there, call: {"X-Hub-Signature-256": whatsapp_sign(call.body, there.account.app_secret)},
    "sms": lambda there, call: {
        "X-Twilio-Signature": signature(there.account.auth_token, call.url, parse_qsl(call.body.decode(), True))
    },
}
"""The proofs that depend on the whole call, by channel; the others are a secret of the account's in the call."""


@dataclass(frozen=True)
class Twins:
    """Clients of one gateway, of which each stands before another account of each channel: `demo` and `other`."""

    first: ApiClient
    second: ApiClient

    @property
    def runtime(self) -> Runtime:
        return self.first.environment.runtime

    def simulators(self, channel: str) -> tuple[Any, Any]:
        """Return the stand-ins of both accounts."""
        return self.first.environment.simulators[channel], self.second.environment.simulators[channel]

    def let_write(self, channel: str, number: str) -> None:
        """Let the person have written to the second account, as far as its provider knows."""
        simulator = self.second.environment.simulators[channel]
        user = simulator.user_of(number)
        simulator.phone(user).last_wrote_at = self.runtime.clock()
        if isinstance(simulator, Viber):
            simulator.subscribed.add(user)

    async def repeat(self, channel: str) -> int:
        """Make all calls that the provider has made to the first account to the second one. Returns how many."""
        first, second = self.simulators(channel)
        calls = [readdressed(delivery.call, first, second) for delivery in first.deliveries]
        for call in calls:
            status, _ = await second.post_webhook(call)
            assert status == 200, call
        return len(calls)

    async def settle(self) -> None:
        """Wait until all that was posted or sent has had its effect."""
        for simulator in (*self.first.environment.simulators.values(), *self.second.environment.simulators.values()):
            await simulator.quiet()
        await until(self._idle)

    async def _idle(self) -> bool:
        due = {"due_at": {"$exists": True}}
        queues = {"inbox": due, "notifications": {**due, "status": {"$in": UNSENT}}}
        return not any([await self.runtime.db[name].find_one(query) for name, query in queues.items()])


def readdressed(call: Call, first: Simulator, second: Simulator) -> Call:
    """Return a call to the first account as one to the second: with its names and proofs, and the same ids."""
    names = dict(zip(_values(first), _values(second), strict=True))
    url = call.url.replace(f"/{first.name}/{ACCOUNT}", f"/{first.name}/{OTHER}")
    body = _swap(call.body.decode(), names).encode()
    headers = {name: _swap(value, names) for name, value in call.headers.items()}
    moved = replace(call, url=url, body=body, headers=headers)
    proof = SIGNATURES[first.name](second, moved) if first.name in SIGNATURES else {}
    return replace(moved, headers={**headers, **proof})


def _values(simulator: Any) -> list[str]:
    """Return the values of an account's fields, each as a text; that are its names and its secrets."""
    values = asdict(simulator.account).values()
    return [value.reveal() if isinstance(value, Secret) else str(value) for value in values]


def _swap(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new) if old != new else text
    return text


@asynccontextmanager
async def opened_twins(settings: Settings) -> AsyncIterator[Twins]:
    """Run a gateway with two accounts of each channel."""
    clock = Clock()
    with listener() as at:
        url = url_of(at)
        async with opened_simulators(url, clock) as (first, accounts), opened_simulators(url, clock, OTHER) as others:
            second, more = others
            both = {channel: account | more[channel] for channel, account in accounts.items()}
            async with running_gateway(replaced(settings, accounts=both), at, clock) as (runtime, key):
                environments = [Environment(runtime, simulators, url, key) for simulators in (first, second)]
                async with ApiClient.of(environments[0]) as one, ApiClient.of(environments[1]) as another:
                    yield Twins(one, another)

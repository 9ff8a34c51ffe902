"""The demo's business: it calls the gateway's API over HTTP with its key, as any service of yours would."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from webhooks.demo.environment import Environment
from webhooks.http.answers import Refusal

PERSON = "Anna"
PHONE = "+79000000001"
"""The name and number of the business's only customer, who has every messenger."""

TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "{{name}}", "order": "{{order}}"}}
"""The template that is approved at every stand-in whose provider has templates."""

REMEMBERED = 12
"""How many notifications the page shows."""

OK = range(200, 300)


@dataclass(frozen=True)
class Sent:
    """A notification that the business has sent: its id, and the body of the request."""

    id: str
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Client:
    """The demo's business, as a client of the gateway's API.

    `http` holds the API key in its headers. `templated` are the channels that have approved templates. `links` holds
    for each channel the link that starts a chat, which is then joined to the customer; `start_code` is their code.
    """

    http: aiohttp.ClientSession
    templated: frozenset[str]
    links: Mapping[str, str]
    start_code: str
    sent: deque[Sent] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    async def send(self, text: str, values: Mapping[str, str], channels: Sequence[str]) -> None:
        """Send the customer a notification over these channels. Raises Refusal with the gateway's error."""
        destination = {"phone": PHONE, "variables": dict(values)}
        message = {"destinations": [destination], "channels": [self._step(name, text) for name in channels]}
        request = {"messages": [message]}
        answer = (await _post(self.http, "/api/v1/messages", request))["messages"][0]
        if error := answer.get("error"):
            raise Refusal(400, error["message"], error)
        self.sent.appendleft(Sent(answer["id"], request))

    async def stories(self) -> list[dict[str, Any]]:
        """Return the stories of what was sent, the newest first, each with its `request`."""
        return await asyncio.gather(*(self._story(sent) for sent in self.sent))

    def _step(self, channel: str, text: str) -> dict[str, Any]:
        step: dict[str, Any] = {"channel": channel, "text": text}
        return step | ({"template": TEMPLATE} if channel in self.templated else {})

    async def _story(self, sent: Sent) -> dict[str, Any]:
        async with self.http.get(f"/api/v1/messages/{sent.id}") as response:
            return {**await response.json(), "request": sent.request}


@asynccontextmanager
async def opened_client(environment: Environment) -> AsyncIterator[Client]:
    """Open the business's connection to the gateway and create its customer there."""
    async with aiohttp.ClientSession(environment.url, headers={"Authorization": f"Bearer {environment.key}"}) as http:
        customer = await _post(http, "/api/v1/contacts", {"phone": PHONE})
        links = {name.partition(":")[0]: link for name, link in customer["links"].items()}
        channels = {name: environment.runtime.channel(name) for name in environment.simulators}
        templated = frozenset(name for name, channel in channels.items() if channel and channel.facts.templates)
        yield Client(http, templated, links, customer["startCode"])


async def _post(http: aiohttp.ClientSession, path: str, body: Mapping[str, Any]) -> Any:
    async with http.post(path, json=body) as response:
        answer = await response.json()
    if response.status not in OK:
        raise Refusal(response.status, answer["error"], answer["details"])
    return answer

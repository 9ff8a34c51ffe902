"""The walks: the requests to a gateway, and their expected results. Each walk has a gateway of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from gateway.runtime.settings.settings import Settings
from tests.benchmarks.walks.counting import CallPath, Recorder, Walk
from tests.support.client import PHONE, ApiClient, until
from tests.support.jobs import create_job, move, row_results
from webhooks.demo.environment import opened_environment

IDLE, SETTLED, LOOK = 12.0, 2.0, 0.2
"""Seconds in which all periodic work has come round; of silence that end a walk; between two looks at that."""

TEXT = "Your order A-17 has been sent."

Check = Callable[[], Awaitable[bool]]
Play = Callable[[ApiClient], Awaitable[Check]]
"""Begins a walk and returns the check whether it has come to its end."""


async def webhook(client: ApiClient) -> Check:
    """Have a person write to the bot by WhatsApp and read its answer."""
    await client.say("whatsapp", "/help")
    return partial(_read, client)


async def message(client: ApiClient, channel: str = "whatsapp") -> Check:
    """Have the business send one message to one person, which arrives."""
    simulator = client.environment.simulators[channel]
    simulator.phone(simulator.user_of(PHONE)).reads = False
    return partial(_delivered, client, await client.send({"channel": channel, "text": TEXT}))


async def row(client: ApiClient) -> Check:
    """Make and start a job of one row, whose message arrives."""
    key = await create_job(client, [PHONE], channels=[{"channel": "sms", "text": TEXT}])
    await move(client, key, "start")
    return partial(_done, client, key)


WALKS: Mapping[str, Play] = {"webhook": webhook, "message": message, "row": row}


async def _read(client: ApiClient) -> bool:
    return client.answers("whatsapp")[-1].state == "read"


async def _delivered(client: ApiClient, key: str) -> bool:
    return bool((await client.story(key))["status"] == "DELIVERED")


async def _done(client: ApiClient, key: str) -> bool:
    return [row["status"] for row in await row_results(client, key)] == ["DELIVERED"]


@dataclass(frozen=True)
class Stage:
    """Where the walks take place. recorder: makes one to listen with; idle: the paths that do not count."""

    uri: str
    recorder: Callable[[], Recorder]
    idle: frozenset[CallPath] = frozenset()

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[ApiClient]:
        """Open a gateway in which a person has written and a message has been sent, so that its caches are filled."""
        settings = Settings(mongodb_uri=self.uri, database=f"walk-{uuid4().hex[:12]}")
        async with opened_environment(settings) as environment, ApiClient.of(environment) as client:
            for play in (webhook, partial(message, channel="sms")):
                await until(await play(client))
            await asyncio.sleep(SETTLED)
            yield client

    async def idled(self) -> "Stage":
        """Return the same stage, which knows what goes on while there is nothing to do."""
        recorder = self.recorder()
        async with self.gateway():
            with recorder.listening():
                await asyncio.sleep(IDLE)
        return Stage(self.uri, self.recorder, frozenset(recorder.walk.paths))

    async def walk(self, play: Play) -> Walk:
        """Return one walk, recorded in a gateway of its own."""
        async with self.gateway() as client:
            return await self._record(client, play)

    async def _record(self, client: ApiClient, play: Play) -> Walk:
        """Record from the request until nothing has happened for a while."""
        recorder = self.recorder()
        with recorder.listening():
            has_ended = await play(client)
            await self._until_silent(recorder)
        if not await has_ended():
            raise AssertionError(f"not as expected: {play}")
        return recorder.walk.without(self.idle)

    async def _until_silent(self, recorder: Recorder) -> None:
        calls, silent = -1, 0.0
        while silent < SETTLED:
            await asyncio.sleep(LOOK)
            before, calls = calls, recorder.walk.without(self.idle).calls
            silent = silent + LOOK if calls == before else 0.0

"""How often a gateway asks its database for one message: in this process, where the driver tells of each command.

The server's own counters would tell it of another process, but not every server has them.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo import monitoring

from gateway.runtime.runtime import Clock, opened
from gateway.runtime.settings.settings import load
from tests.benchmarks.load.sending import send
from tests.benchmarks.stage.crowd import seat
from tests.benchmarks.stage.stage import Ground, opened_ground
from webhooks.app import create_app
from webhooks.demo.environment import running_worker
from webhooks.http.server import listener, served

BOOKKEEPING = {"hello", "ping", "endSessions", "createIndexes", "isMaster", "ismaster"}


class Ear(monitoring.CommandListener):
    """Counts what is asked of the database."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.heard[event.command_name] += event.command_name not in BOOKKEEPING

    def succeeded(self, _: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, _: monitoring.CommandFailedEvent) -> None: ...


async def operations(count: int, *successes: str) -> dict[str, float]:
    """Commands for one message of so many, by what each message has to come to."""
    found = {}
    async with opened_ground() as ground:
        await seat(ground.db, range(count), Clock()())
        async with ground.calling() as http, _gateway(ground) as ear:
            for success in successes:
                before = ear.heard.total()
                await send(http, ground.db, ground.meta, range(count), success)
                found[success] = (ear.heard.total() - before) / count
    return found


@asynccontextmanager
async def _gateway(ground: Ground) -> AsyncIterator[Ear]:
    """Only clients that are made after it are heard: the ground's own is not."""
    ear = Ear()
    monitoring.register(ear)
    async with (
        opened(load(ground.environment)) as runtime,
        served(create_app(runtime), listener(port=ground.port)),
        running_worker(runtime),
    ):
        yield ear

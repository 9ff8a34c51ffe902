"""Counts a gateway's database commands per message, in this process, where the driver reports each command.

The database's own counters would also work for another process, but not every server has them.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo import monitoring

from gateway.runtime.runtime import Clock, opened
from gateway.runtime.settings.settings import load
from tests.benchmarks.load.sending import send_round
from tests.benchmarks.setup.data import open_conversations
from tests.benchmarks.setup.setup import Setup, opened_setup
from webhooks.app import create_app
from webhooks.demo.environment import running_worker
from webhooks.http.server import listener, served

BOOKKEEPING = {"hello", "ping", "endSessions", "createIndexes", "isMaster", "ismaster"}


class CommandCounter(monitoring.CommandListener):
    """A counter of the driver's commands."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.counts[event.command_name] += event.command_name not in BOOKKEEPING

    def succeeded(self, _: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, _: monitoring.CommandFailedEvent) -> None: ...


async def operations(count: int, *successes: str) -> dict[str, float]:
    """Return the number of commands per message, by the status that each message has to reach."""
    costs = {}
    async with opened_setup() as setup:
        await open_conversations(setup.db, range(count), Clock()())
        async with setup.opened_session() as http, _gateway(setup) as counter:
            for success in successes:
                before = counter.counts.total()
                await send_round(http, setup.db, setup.meta, range(count), success)
                costs[success] = (counter.counts.total() - before) / count
    return costs


@asynccontextmanager
async def _gateway(setup: Setup) -> AsyncIterator[CommandCounter]:
    """Run a gateway and count its commands. Clients that were opened before, as the setup's own, are not counted."""
    counter = CommandCounter()
    monitoring.register(counter)
    async with (
        opened(load(setup.environment)) as runtime,
        served(create_app(runtime), listener(port=setup.port)),
        running_worker(runtime),
    ):
        yield counter

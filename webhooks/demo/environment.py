"""The demo environment: the gateway itself, its database, and a stand-in for every provider."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from socket import socket
from typing import Any

from msgspec.structs import replace
from quart import Quart

import bots
from bots.simulation.simulation import Simulator
from gateway import worker
from gateway.domain.api.roles import Role
from gateway.domain.channel.secret import OwnSecret
from gateway.runtime.runtime import Clock, Runtime, opened
from gateway.runtime.settings.settings import Settings
from storage.access import keys
from webhooks.app import create_app
from webhooks.http.server import listener, served, url_of

ACCOUNT = "demo"


@dataclass(frozen=True)
class Environment:
    """A running gateway and its providers' stand-ins. `key` is an admin's API key of the gateway at `url`."""

    runtime: Runtime
    simulators: Mapping[str, Simulator]
    url: str
    key: str


@asynccontextmanager
async def opened_environment(settings: Settings, port: int = 0) -> AsyncIterator[Environment]:
    """Run everything in this process (the embedded database beside it), with one account on every channel.

    The gateway listens at `port`; 0 takes a free one. Raises OSError if the port is taken.
    """
    clock = Clock()
    with listener(port=port) as at:
        url = url_of(at)
        async with (
            opened_simulators(url, clock) as (simulators, accounts),
            running_gateway(replace(settings, accounts=accounts), at, clock) as (runtime, key),
        ):
            yield Environment(runtime, simulators, url, key)


@asynccontextmanager
async def running_gateway(settings: Settings, at: socket, clock: Clock) -> AsyncIterator[tuple[Runtime, str]]:
    """Run the web and the worker, over files and callbacks on this machine. Yields its runtime and an admin's key."""
    settings = replace(settings, public_url=url_of(at), private_files=True, private_callbacks=True)
    settings = replace(settings, callback_secrets=settings.callback_secrets or (OwnSecret(token_hex(20)),))
    settings = replace(settings, media_secrets=settings.media_secrets or (OwnSecret(token_hex(20)),))
    async with opened(settings, clock) as runtime, served(create_app(runtime), at), running_worker(runtime):
        yield runtime, await keys.create_key(runtime.db, "demo", clock(), Role.ADMIN)


@asynccontextmanager
async def opened_simulators(
    gateway_url: str, clock: Clock, name: str = ACCOUNT
) -> AsyncIterator[tuple[dict[str, Simulator], dict[str, dict[str, Any]]]]:
    """Serve a stand-in for every channel's provider on one port.

    Yields the stand-ins by channel, and the settings of one account on each, which has this name.
    """
    at, app = listener(), Quart("simulators")
    simulators: dict[str, Simulator] = {}
    accounts: dict[str, dict[str, Any]] = {}
    for channel in bots.CHANNELS:
        module = bots.simulator(channel)
        account = module.demo_account(f"{url_of(at)}/{channel}")
        simulator = module.Server(account, f"{gateway_url}/webhooks/{channel}/{name}", clock)
        app.register_blueprint(simulator.blueprint(), url_prefix=f"/{channel}")
        simulators[channel], accounts[channel] = simulator, {name: account}
    async with served(app, at, grace=0.2):
        try:
            yield simulators, accounts
        finally:
            for simulator in simulators.values():
                await simulator.close()


@asynccontextmanager
async def running_worker(runtime: Runtime) -> AsyncIterator[None]:
    """Run the worker's loops as long as the block runs. If they fail, so does the block.

    An error that is alone in its group is raised bare, so that a port that is taken shows as OSError.
    """
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.run(runtime, stop))
            try:
                yield
            finally:
                stop.set()
    except ExceptionGroup as group_error:
        raise group_error.exceptions[0] if len(group_error.exceptions) == 1 else group_error from None

"""What a process counts is written by it, whether or not a worker runs in it, and to the last moment."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest

from gateway import worker
from gateway.runtime.runtime import Runtime, opened
from gateway.runtime.settings.settings import Settings
from storage.accounts import flows
from storage.accounts.flows import WIDE
from webhooks.app import create_app
from webhooks.http.server import served


@asynccontextmanager
async def web(runtime: Runtime) -> AsyncIterator[None]:
    async with served(create_app(runtime)):
        yield


@asynccontextmanager
async def working(runtime: Runtime) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(runtime, stop))
    yield
    stop.set()
    await running


@pytest.mark.parametrize("process", [web, working])
async def test_what_a_process_has_counted_is_there_when_it_has_stopped(
    settings: Settings, process: Callable[[Runtime], AbstractAsyncContextManager[None]]
) -> None:
    async with opened(settings) as runtime:
        async with process(runtime):
            await asyncio.sleep(0)
            runtime.flows.count("sms", "CANCELLED")
        now = runtime.clock()
        *_, (_, last) = await flows.between(runtime.db, now - WIDE, now + timedelta(seconds=1), WIDE)
        assert last == {"sms": {"CANCELLED": 1}}

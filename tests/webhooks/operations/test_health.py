"""Health checks: what an orchestrator learns of a process in each of its states."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from gateway.runtime.runtime import opened
from gateway.runtime.settings.settings import Settings
from gateway.runtime.settings.tuning import Tuning
from storage.engine.database import connect
from storage.engine.embedded import embedded
from tests.support.client import ApiClient, until
from tests.support.http.serving import served
from tests.support.workload import send_one, wait_for_state
from webhooks.app import create_app

Answer = tuple[int, dict[str, Any]]


async def ready(url: str) -> Answer:
    """Ask without a key."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/readyz") as response:
        return response.status, await response.json()


async def becomes(url: str, expected: Answer) -> None:
    """Wait until /readyz answers so. Raises AssertionError with the last answer."""
    last: list[Answer] = []

    async def matches() -> bool:
        last[:] = [await ready(url)]
        return last == [expected]

    try:
        await until(matches)
    except TimeoutError:
        raise AssertionError(last) from None


def state(workers: int, held: int, **more: Any) -> dict[str, Any]:
    accounts = {"open": 5 - held, "held": held}
    return {"ready": True, "database": True, "workers": workers, "accounts": accounts, **more}


async def test_a_process_at_work_is_ready_and_tells_of_held_accounts(demo: ApiClient) -> None:
    """An account that is held is no reason to take the others' process away."""
    await becomes(demo.environment.url, (200, state(1, 0)))
    demo.environment.simulators["sms"].faults.fail(20003)
    await send_one(demo, {"channel": "sms", "text": "Hi"})
    await wait_for_state(demo, "sms:demo", "held")
    await becomes(demo.environment.url, (200, state(1, 1)))


async def test_a_loop_that_hangs_shows(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process still answers and could still write heartbeats, but works on nothing."""
    quick = Tuning(heartbeat_stale=timedelta(seconds=2), heartbeat_every=timedelta(seconds=0.2))
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=quick)
    end = asyncio.Event()

    async def hang(*_: Any) -> list[Any]:
        await end.wait()
        return []

    with monkeypatch.context() as patch:
        patch.setattr(runtime.inbox, "claim", hang)
        await becomes(demo.environment.url, (503, state(0, 0, ready=False, worker="hangs")))
        async with aiohttp.ClientSession() as http, http.get(f"{demo.environment.url}/healthz") as response:
            assert response.status == 200
    end.set()
    await becomes(demo.environment.url, (200, state(1, 0)))


async def test_a_web_without_any_worker_takes_webhooks_and_is_ready(settings: Settings) -> None:
    async with opened(settings) as runtime, served(create_app(runtime)) as url:
        accounts = {"open": 0, "held": 0}
        assert await ready(url) == (200, {"ready": True, "database": True, "workers": 0, "accounts": accounts})


async def test_without_a_database_it_is_not_ready_and_says_so_soon(
    demo: ApiClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with embedded(tmp_path_factory.mktemp("gone")) as uri:
        gone_uri = uri
    dead = connect(gone_uri, "gone")
    async with served(create_app(dataclasses.replace(demo.environment.runtime, db=dead))) as url:
        assert await ready(url) == (503, {"ready": False, "database": False})
    dead.client.close()

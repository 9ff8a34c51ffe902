"""Tests stopping: work in progress is finished, the rest is left to the next process, and nothing can delay the end."""

import asyncio
import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, until
from tests.support.http.barrier import AnswerGate
from tests.support.processes.cli import CliFixture, opened_cli
from tests.support.processes.commands import PATIENCE
from tests.support.processes.processes import Web

MANY, BOUND = 30, 3


def serve_program(cli: CliFixture, **variables: str) -> Web:
    """Return `gateway serve` for this CLI fixture's folder, with the simulator's webhooks directed to it."""
    serve = Web("serve", cli.folder, {}, "serve")
    files = {"GATEWAY_ACCOUNTS": str(cli.folder / "accounts.toml"), "GATEWAY_FOLDER": str(cli.folder / "data")}
    serve.environment |= {**cli.environment, **files, "GATEWAY_PUBLIC_URL": serve.url, **variables}
    cli.simulator.webhook_url = f"{serve.url}/webhooks/sms/main"
    return serve


async def send_many(url: str, key: str) -> list[str]:
    """Post MANY messages to one person, who gets one after another. Returns their ids."""
    message = {"destinations": [{"phone": PHONE}] * MANY, "channels": [{"channel": "sms", "text": "Hi"}]}
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.request(
        "POST", f"{url}/api/v1/messages", json={"messages": [message]}, headers=headers
    ) as answer:
        return [item["id"] for item in (await answer.json())["messages"]]


async def statuses(url: str, key: str, ids: list[str]) -> Counter[str]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:

        async def status(message: str) -> Any:
            async with http.get(f"{url}/api/v1/messages/{message}") as response:
                return (await response.json())["status"]

        return Counter(await asyncio.gather(*map(status, ids)))


async def test_under_load_nothing_is_lost_in_doubt_or_sent_twice(tmp_path: Path, settings: Settings) -> None:
    async with opened_cli(tmp_path, settings) as cli:
        key = (await cli.gateway("keys", "create", "shop")).out.split()[-1]
        cli.simulator.faults.answer_after = 0.2
        serve = serve_program(cli)
        await serve.start()
        ids = await send_many(serve.url, key)
        await until(lambda: _result(len(cli.simulator.accepted) > 5))
        assert await asyncio.wait_for(serve.stop(), PATIENCE) == 0
        assert len(cli.simulator.accepted) < MANY, "it was to be told in the middle of it"
        cli.simulator.faults.answer_after = 0
        await serve.start()

        async def all_delivered() -> bool:
            return await statuses(serve.url, key, ids) == {"DELIVERED": MANY}

        await until(all_delivered)
        await serve.stop()
    keys = Counter(message.request["StatusCallback"] for message in cli.simulator.accepted)
    assert (len(keys), max(keys.values())) == (MANY, 1)


async def test_a_database_that_hangs_keeps_nobody_alive(tmp_path: Path, settings: Settings) -> None:
    """The process's own embedded database is frozen, and the database's process ends with it."""
    async with opened_cli(tmp_path, settings) as cli:
        serve = serve_program(cli, MONGODB_URI="", GATEWAY_STOP_WITHIN=str(BOUND))
        await serve.start()
        (watchdog,) = children(serve.pid)
        (database,) = children(watchdog)
        os.kill(database, signal.SIGSTOP)
        try:
            assert await asyncio.wait_for(serve.stop(), PATIENCE) == 1
            assert "did not end in time" in serve.log_text()
        finally:
            with suppress(ProcessLookupError):
                os.kill(database, signal.SIGCONT)
        await until(lambda: _result(not Path(f"/proc/{database}").exists()))


async def test_told_twice_it_ends_at_once(tmp_path: Path, settings: Settings) -> None:
    async with opened_cli(tmp_path, settings) as cli:
        key = (await cli.gateway("keys", "create", "shop")).out.split()[-1]
        cli.simulator.faults = gate = AnswerGate()
        serve = serve_program(cli)
        await serve.start()
        await send_many(serve.url, key)
        await gate.arrived.wait()
        serve.send_signal(signal.SIGTERM)
        await until(lambda: _result(not is_pending(serve.pid, signal.SIGTERM)))
        assert serve.running
        assert await asyncio.wait_for(serve.stop(), PATIENCE / 3) == 1
        assert any(
            "a second time" in msgspec.json.decode(line)["event"]
            for line in serve.log_text().splitlines()
            if line.startswith("{")
        )


def is_pending(process: int, number: signal.Signals) -> bool:
    """Tell whether the process has yet to receive a signal: two of a kind would be one. See proc(5), ShdPnd."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    pending = next(line.split()[1] for line in lines if line.startswith("ShdPnd"))
    return bool(int(pending, 16) >> (number - 1) & 1)


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


async def _result(value: bool) -> bool:  # noqa: FBT001
    return value

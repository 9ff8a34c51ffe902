"""Starts `gateway demo` as newcomers do, and does what the README says next, word for word."""

import asyncio
import json
import re
import shutil
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from tests.support.client import until
from tests.support.docs import FRONT, blocks
from tests.support.processes.commands import BIN, PATIENCE, run, started_process

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the README's example needs curl")


async def printed(process: Process, pattern: str) -> str:
    """Return what this pattern finds on the next lines of a program. Raises TimeoutError."""
    assert process.stdout
    async with asyncio.timeout(PATIENCE):
        while not (found := re.search(pattern, (await process.stdout.readline()).decode())):
            assert process.returncode is None
    return found[1]


async def test_the_line_that_it_prints_makes_the_readmes_example_work(tmp_path: Path) -> None:
    send = next(block for block in blocks(FRONT, "sh") if "/api/v1/messages" in block)
    async with started_process(tmp_path, str(BIN / "gateway"), "demo", "--port", "0") as process:
        assert (await printed(process, r"^Open (http://\S+) in a browser")).startswith("http://127.0.0.1:")
        line = await printed(process, r"^(export GATEWAY_URL=\S+ GATEWAY_KEY=\S+)$")
        look = await printed(process, r"^(curl -s http://\S+ -H .+)$")
        assert json.loads((await run(tmp_path, "bash", "-c", look)).out)["accounts"]
        sent = await run(tmp_path, "bash", "-c", f"{line}\n{send}")
        (message,) = json.loads(sent.out)["messages"]
        story = f'{line}\ncurl -s $GATEWAY_URL/api/v1/messages/{message["id"]} -H "Authorization: Bearer $GATEWAY_KEY"'

        async def is_delivered() -> bool:
            status: str = json.loads((await run(tmp_path, "bash", "-c", story)).out)["status"]
            return status in {"DELIVERED", "READ"}

        await until(is_delivered)

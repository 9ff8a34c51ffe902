"""Runs commands as operators do: each in a process, a folder and an environment of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.support.client import until

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
PATIENCE = 60.0
"""Seconds that a command may take to end."""


@dataclass(frozen=True)
class CommandResult:
    """The exit code and the output of a command that has ended."""

    code: int | None
    out: str
    err: str


def environment(**variables: str) -> dict[str, str]:
    """Return a fresh machine's environment, with the programs of this virtual environment and this checkout."""
    basics = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**basics, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **variables}


@asynccontextmanager
async def started_process(folder: Path, *command: str, **environ: str) -> AsyncIterator[Process]:
    """Start a command that keeps running, and kill it at the end if it has not ended by then."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment(**environ), stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def run(folder: Path, *command: str, **environ: str) -> CommandResult:
    """Run a command that ends by itself, and return its result. Raises TimeoutError."""
    async with started_process(folder, *command, **environ) as process:
        return await wait_for_exit(process)


async def wait_for_exit(process: Process) -> CommandResult:
    """Wait until the process ends, and return its result. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return CommandResult(process.returncode, out.decode(), err.decode())


async def wait_until_ready(url: str, process: Process) -> None:
    """Wait until `url` answers 200. Raises AssertionError if the process ends before that."""

    async def is_ready() -> bool:
        assert process.returncode is None, (await process.communicate())[1].decode()
        async with aiohttp.ClientSession() as http:
            try:
                async with http.get(url) as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False

    await until(is_ready)

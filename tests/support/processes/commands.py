"""Commands run as operators run them: as processes of their own, in a folder and an environment of their own."""

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


@dataclass(frozen=True)
class CommandResult:
    code: int | None
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """What a fresh machine has, with the programs of this environment and this checkout."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


@asynccontextmanager
async def started_process(folder: Path, *command: str, **environ: str) -> AsyncIterator[Process]:
    """A command that stays; killed at the end if it is still there."""
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
    """A command that ends."""
    async with started_process(folder, *command, **environ) as process:
        return await wait_for_exit(process)


async def wait_for_exit(process: Process) -> CommandResult:
    """What became of it. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return CommandResult(process.returncode, out.decode(), err.decode())


async def wait_until_ready(url: str, process: Process) -> None:
    """Wait until `url` answers 200. Raises AssertionError if its process ends before."""

    async def there() -> bool:
        assert process.returncode is None, (await process.communicate())[1].decode()
        async with aiohttp.ClientSession() as http:
            try:
                async with http.get(url) as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False

    await until(there)

"""Real `gateway` processes, started as an operator would, and ended as bad luck does."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from gateway.settings import Secret
from webhooks.server import free_port

GATEWAY = Path(sys.executable).with_name("gateway")


def accounts_file(file: Path, accounts: Mapping[str, Mapping[str, Any]]) -> Path:
    """The settings of open accounts, written as a person would write them."""
    lines = []
    for channel, group in accounts.items():
        for name, account in group.items():
            lines.append(f"[{channel}.{name}]")
            lines += [f"{key} = {msgspec.json.encode(_plain(value)).decode()}" for key, value in _fields(account)]
    file.write_text("\n".join(lines))
    return file


def _fields(account: Any) -> list[tuple[str, Any]]:
    values = [(field, getattr(account, field)) for field in account.__struct_fields__]
    return [(field, value) for field, value in values if value is not None]


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


class Process:
    """`gateway <command>` with its own port and log; it can be killed and started again on the same port."""

    def __init__(self, folder: Path, environment: Mapping[str, str], command: str = "serve", port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{command}-{self.port}.log"
        self._command = [str(GATEWAY), command, *(["--port", str(self.port)] if command != "worker" else [])]
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Return when it is ready."""
        self._process = self._started()
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while not await self._ready(http):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)

    def _started(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End it as a platform does; its exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        return await asyncio.to_thread(process.wait)

    async def _ready(self, http: aiohttp.ClientSession) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"it ended by itself: {self.log.read_text()}")
        try:
            async with http.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

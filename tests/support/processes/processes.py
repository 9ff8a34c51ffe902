"""Real `gateway` processes that tests start, kill, freeze and stop."""

import asyncio
import os
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from gateway.domain.channel.secret import Secret
from storage.engine.embedded import free_port

GATEWAY = str(Path(sys.executable).with_name("gateway"))
START = 60
"""Seconds within which a program has to be ready."""


def accounts_file(file: Path, accounts: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write these accounts to a TOML file as an operator would write them. Returns the file."""
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


class Program(ABC):
    """A process with a log file, which can be killed and started again. `starts` counts its starts."""

    def __init__(self, name: str, folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.starts = 0
        self._command = command
        self.environment = {**os.environ, **environment}
        self._log_offset = 0
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    async def ready(self) -> bool:
        """Return whether the program can work by now."""

    @property
    def pid(self) -> int:
        """The process id. Raises ValueError if the program was never started or has been ended."""
        if self._process is None:
            raise ValueError(f"{self.name} does not run")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start the program and wait until it is ready. Raises RuntimeError with its log if it ends instead."""
        self._process = self._spawn()
        async with asyncio.timeout(START):
            while not await self.ready():
                if not self.running:
                    raise RuntimeError(f"{self.name} ended by itself: {self.log_text()[-2000:]}")
                await asyncio.sleep(0.1)

    def log_text(self) -> str:
        """Return what the program has logged since its last start."""
        return self.log.read_bytes()[self._log_offset :].decode()

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with self.log.open("ab") as log:
            self._log_offset = log.tell()
            return subprocess.Popen(self._command, env=self.environment, stdout=log, stderr=log)

    async def kill(self) -> None:
        """Kill the program and wait for its end."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End the program by SIGTERM, as a platform does. Returns its exit code."""
        return await self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Suspend the program without its knowledge, as happens on a machine that is moved or out of memory."""
        self.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a suspended program go on."""
        self.send_signal(signal.SIGCONT)

    def send_signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        return await asyncio.to_thread(process.wait)


class Web(Program):
    """`gateway web`, or another command that serves HTTP, on a port that it keeps over restarts."""

    def __init__(
        self, name: str, folder: Path, environment: Mapping[str, str], command: str = "web", port: int | None = None
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(name, folder, [GATEWAY, command, "--port", str(self.port)], environment)

    async def ready(self) -> bool:
        try:
            async with aiohttp.request("GET", f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


class Worker(Program):
    """`gateway worker`, which is ready once its log says that it has started."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(name, folder, [GATEWAY, "worker"], environment)

    async def ready(self) -> bool:
        return "worker started" in self.log_text()

"""The measured processes: a database, the stand-in for WhatsApp, and one gateway between the two."""

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import aiohttp
import msgspec

from gateway.domain.api.roles import Role
from gateway.runtime.runtime import Clock
from storage.access import keys
from storage.documents.documents import Db
from storage.engine.database import connect, prepare
from storage.engine.embedded import embedded, free_port
from tests.benchmarks.setup.account import NAME, account
from tests.benchmarks.setup.meta import Entry, ReportSettings
from tests.support.processes.processes import GATEWAY, Program, accounts_file

LIMITS = 'limits = {account = "100000/s", person = "10000/s burst 10000"}'
"""Limits so high that nothing waits for them, though each message is checked."""


@dataclass(frozen=True)
class DatabaseAddress:
    """The address of a measurement's own database."""

    uri: str
    name: str


@asynccontextmanager
async def opened_database() -> AsyncIterator[DatabaseAddress]:
    """Yield a new database in the server of MONGODB_URI, dropped afterwards, or in an embedded server."""
    name = f"bench-{uuid4().hex[:12]}"
    if uri := os.environ.get("MONGODB_URI"):
        try:
            yield DatabaseAddress(uri, name)
        finally:
            db = connect(uri, name)
            await db.client.drop_database(name)
            db.client.close()
        return
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        async with embedded(Path(folder)) as uri:
            yield DatabaseAddress(uri, name)


class Meta(Program):
    """The process of the stand-in, and the requests to it."""

    def __init__(self, folder: Path, webhooks: str, delay: float) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        arguments = ["--port", str(self.port), "--webhooks", webhooks, "--delay", str(delay)]
        super().__init__("meta", folder, [sys.executable, "-m", "tests.benchmarks.setup.meta", *arguments], {})

    async def ready(self) -> bool:
        return await is_ready(f"{self.url}/count")

    async def begin(self, *statuses: str, batch: int = 1) -> None:
        """Begin a new book: these statuses are reported of each message, `batch` in a call."""
        async with aiohttp.request("PUT", self.url, json=msgspec.to_builtins(ReportSettings([*statuses], batch))):
            pass

    async def count(self) -> int:
        async with aiohttp.request("GET", f"{self.url}/count") as response:
            return int(await response.read())

    async def book(self) -> list[Entry]:
        async with aiohttp.request("GET", f"{self.url}/book") as response:
            return msgspec.json.decode(await response.read(), type=list[Entry])


class Gateway(Program):
    """`gateway serve`: everything in one process."""

    def __init__(self, folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        super().__init__("gateway", folder, [GATEWAY, "serve", "--port", str(port)], environment)

    async def ready(self) -> bool:
        return await is_ready(f"{self.url}/readyz")


async def is_ready(url: str) -> bool:
    try:
        async with aiohttp.request("GET", url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@dataclass(frozen=True)
class Setup:
    """All that a gateway needs. `environment` is the gateway's own, and `db` reaches its database directly."""

    folder: Path
    database: DatabaseAddress
    db: Db
    meta: Meta
    port: int
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def opened_session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """Open a session with an API key of the gateway."""
        key = await keys.create_key(self.db, "bench", Clock()(), Role.ADMIN)
        async with aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {key}"}) as http:
            yield http


@dataclass(frozen=True)
class RunningSetup(Setup):
    """A setup with a running gateway."""

    gateway: Gateway


@asynccontextmanager
async def opened_setup(delay: float = 0.2) -> AsyncIterator[Setup]:
    """Run a database and the stand-in, which answers after `delay` seconds, until the end of the block."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-")))
        database = await stack.enter_async_context(opened_database())
        db = connect(database.uri, database.name)
        stack.callback(db.client.close)
        await prepare(db)
        port = free_port()
        meta = Meta(folder, webhooks_of(port), delay)
        stack.push_async_callback(meta.kill)
        await meta.start()
        environment = {"MONGODB_URI": database.uri, "GATEWAY_DATABASE": database.name}
        yield Setup(folder, database, db, meta, port, environment | settings(folder, meta.url, port))


@asynccontextmanager
async def opened_running_setup(delay: float = 0.2) -> AsyncIterator[RunningSetup]:
    """Run the same with the gateway in a process of its own."""
    async with opened_setup(delay) as setup:
        gateway = Gateway(setup.folder, setup.port, setup.environment)
        try:
            await gateway.start()
            yield RunningSetup(**vars(setup), gateway=gateway)
        finally:
            await gateway.kill()


def webhooks_of(port: int) -> str:
    return f"http://127.0.0.1:{port}/webhooks/whatsapp/{NAME}"


def settings(folder: Path, provider: str, port: int) -> dict[str, str]:
    """Return the environment of a gateway whose one account has its provider at this URL."""
    file = accounts_file(folder / "accounts.toml", {"whatsapp": {NAME: account(provider)}})
    file.write_text(f"{file.read_text()}\n{LIMITS}\n")
    return {"GATEWAY_ACCOUNTS": str(file), "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}"}

"""What is measured, in processes of their own: a database, the stand-in, and one gateway between the two."""

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
from tests.benchmarks.stage.account import NAME, account
from tests.benchmarks.stage.meta import Entry, Orders
from tests.support.processes.processes import GATEWAY, Program, accounts_file

LIMITS = 'limits = {account = "100000/s", person = "10000/s burst 10000"}'
"""So high that nothing waits for them, but each message has to ask."""


@dataclass(frozen=True)
class Place:
    """A database of a measurement's own."""

    uri: str
    name: str


@asynccontextmanager
async def opened_place() -> AsyncIterator[Place]:
    """In the server of MONGODB_URI, dropped afterwards; or in an embedded one of its own."""
    name = f"bench-{uuid4().hex[:12]}"
    if given := os.environ.get("MONGODB_URI"):
        try:
            yield Place(given, name)
        finally:
            db = connect(given, name)
            await db.client.drop_database(name)
            db.client.close()
        return
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        async with embedded(Path(folder)) as uri:
            yield Place(uri, name)


class Meta(Program):
    """The stand-in, and what is asked of it."""

    def __init__(self, folder: Path, webhooks: str, delay: float) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        asked = ["--port", str(self.port), "--webhooks", webhooks, "--delay", str(delay)]
        super().__init__("meta", folder, [sys.executable, "-m", "tests.benchmarks.stage.meta", *asked], {})

    async def ready(self) -> bool:
        return await answers(f"{self.url}/count")

    async def begin(self, *statuses: str, batch: int = 1) -> None:
        """A new book; of each message in it these statuses are reported, `batch` in a call."""
        async with aiohttp.request("PUT", self.url, json=msgspec.to_builtins(Orders([*statuses], batch))):
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
        return await answers(f"{self.url}/readyz")


async def answers(url: str) -> bool:
    try:
        async with aiohttp.request("GET", url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


@dataclass(frozen=True)
class Ground:
    """All that a gateway needs. `db` reaches the database past it, `environment` is its own."""

    folder: Path
    place: Place
    db: Db
    meta: Meta
    port: int
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[aiohttp.ClientSession]:
        """The gateway's API, as a business calls it."""
        key = await keys.create_key(self.db, "bench", Clock()(), Role.ADMIN)
        async with aiohttp.ClientSession(self.url, headers={"Authorization": f"Bearer {key}"}) as http:
            yield http


@dataclass(frozen=True)
class Stage(Ground):
    """With a gateway on it."""

    gateway: Gateway


@asynccontextmanager
async def opened_ground(delay: float = 0.2) -> AsyncIterator[Ground]:
    """A database and the stand-in; `delay`: seconds until that answers. All of it ends with the block."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-bench-")))
        place = await stack.enter_async_context(opened_place())
        db = connect(place.uri, place.name)
        stack.callback(db.client.close)
        await prepare(db)
        port = free_port()
        meta = Meta(folder, webhooks_of(port), delay)
        stack.push_async_callback(meta.kill)
        await meta.start()
        environment = {"MONGODB_URI": place.uri, "GATEWAY_DATABASE": place.name}
        yield Ground(folder, place, db, meta, port, environment | settings(folder, meta.url, port))


@asynccontextmanager
async def opened_stage(delay: float = 0.2) -> AsyncIterator[Stage]:
    """The same, with the gateway running in a process of its own."""
    async with opened_ground(delay) as ground:
        gateway = Gateway(ground.folder, ground.port, ground.environment)
        try:
            await gateway.start()
            yield Stage(**vars(ground), gateway=gateway)
        finally:
            await gateway.kill()


def webhooks_of(port: int) -> str:
    return f"http://127.0.0.1:{port}/webhooks/whatsapp/{NAME}"


def settings(folder: Path, provider: str, port: int) -> dict[str, str]:
    """The environment of a gateway whose one account lives at `provider`."""
    file = accounts_file(folder / "accounts.toml", {"whatsapp": {NAME: account(provider)}})
    file.write_text(f"{file.read_text()}\n{LIMITS}\n")
    return {"GATEWAY_ACCOUNTS": str(file), "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{port}"}

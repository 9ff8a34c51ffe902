"""The besieged processes: webs behind a balancer, workers, a database behind a relay, and the providers."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from bots.simulation.faults import RandomFaults
from bots.simulation.simulation import Simulator
from gateway.domain.api.roles import Role
from gateway.runtime.runtime import Clock
from storage.access import keys
from storage.documents.documents import Db
from storage.engine.database import connect, prepare
from tests.siege.field.database import Database, uri_of
from tests.siege.field.relay import Relay
from tests.support.processes.processes import Program, Web, Worker, accounts_file
from webhooks.demo.environment import opened_simulators

FAULTS = RandomFaults(
    broken=0.02,
    too_many=0.04,
    lost_answer=0.02,
    slow=0.06,
    twice=0.06,
    late=0.08,
    lost=0.05,
    unheard=0.05,
)
LEASE = 5
"""Seconds after which the work of a worker that is gone, or stands still, is taken over."""

TORN = 0.01
"""The chance that the connection to a provider breaks when it answers."""

LAG = 1.5
"""The most seconds that a provider's answer takes, so that a kill finds messages accepted and not answered."""


@dataclass
class Camp:
    """All processes. `balancer` is the relay to the webs, `wire` to the database, `providers` to the simulators.

    `db` reaches the database itself, past the wire: for the audit, and for an API key.
    """

    folder: Path
    environment: Mapping[str, str]
    random: random.Random
    simulators: dict[str, Simulator]
    database: Database
    db: Db
    balancer: Relay
    wire: Relay
    providers: Relay
    webs: list[Web] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    key: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.balancer.port}"

    @property
    def programs(self) -> list[Program]:
        return [*self.webs, *self.workers]

    async def join_web(self) -> Web:
        web = Web(f"web-{len(self.webs) + 1}", self.folder, self.environment)
        self.webs.append(web)
        await web.start()
        self.balancer.backends.append(web.port)
        return web

    async def join_worker(self) -> Worker:
        worker = Worker(f"worker-{len(self.workers) + 1}", self.folder, self.environment)
        self.workers.append(worker)
        await worker.start()
        return worker


@asynccontextmanager
async def opened_camp(folder: Path, seed: int) -> AsyncIterator[Camp]:
    """Run two webs and two workers over a database until the end of the block."""
    async with AsyncExitStack() as stack:
        database = Database(folder)
        stack.push_async_callback(database.kill)
        await database.start()
        balancer = await stack.enter_async_context(Relay().listening())
        wire = await stack.enter_async_context(Relay(database.port).listening())
        simulators, accounts = await stack.enter_async_context(opened_simulators(_url(balancer), Clock()))
        providers = Relay(_port_of(accounts), torn=TORN, lag=LAG, seed=seed)
        await stack.enter_async_context(providers.listening())
        for simulator in simulators.values():
            simulator.faults.random_faults, simulator.faults.random = FAULTS, random.Random(seed)
        db = connect(uri_of(database.port), "siege")
        stack.callback(db.client.close)
        await prepare(db)
        camp = Camp(
            folder,
            _environment(folder, wire, balancer, _redirect(accounts, providers)),
            random.Random(seed),
            simulators,
            database,
            db,
            balancer,
            wire,
            providers,
            key=await keys.create_key(db, "siege", Clock()(), Role.ADMIN),
        )
        stack.push_async_callback(_end, camp)
        await asyncio.gather(*[join() for join in (camp.join_web, camp.join_worker) for _ in range(2)])
        yield camp


def _url(relay: Relay) -> str:
    return f"http://127.0.0.1:{relay.port}"


def _port_of(accounts: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the port on which all simulators are served."""
    account = next(iter(next(iter(accounts.values())).values()))
    return int(account.api_url.split(":")[2].partition("/")[0])


def _redirect(accounts: Mapping[str, Mapping[str, Any]], providers: Relay) -> dict[str, dict[str, Any]]:
    """Return the same accounts with the providers' addresses on the relay."""
    old, new = f"http://127.0.0.1:{_port_of(accounts)}/", f"{_url(providers)}/"
    return {
        channel: {name: replace(account, api_url=account.api_url.replace(old, new)) for name, account in group.items()}
        for channel, group in accounts.items()
    }


def _environment(folder: Path, wire: Relay, balancer: Relay, accounts: Mapping[str, Any]) -> dict[str, str]:
    return {
        "MONGODB_URI": uri_of(wire.port),
        "GATEWAY_DATABASE": "siege",
        "GATEWAY_ACCOUNTS": str(accounts_file(folder / "accounts.toml", accounts)),
        "GATEWAY_PUBLIC_URL": _url(balancer),
        "GATEWAY_LEASE": str(LEASE),
        "GATEWAY_DOUBT": "20",
    }


async def _end(camp: Camp) -> None:
    await asyncio.gather(*[program.kill() for program in camp.programs])

"""The real `gateway` command in a folder and environment of its own, with one SMS account on a simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bots.sms import Account
from bots.sms.simulator import Server, demo_account
from gateway.runtime.settings.settings import Settings
from tests.support.http.serving import app_of, listener, served, url_of
from tests.support.processes.commands import CommandResult, run
from tests.support.processes.processes import accounts_file

PUBLIC = "https://gateway.shop.ru"


@dataclass(frozen=True)
class CliFixture:
    """The `gateway` command with its folder and environment; `simulator` is the provider of the account sms:main."""

    folder: Path
    simulator: Server
    account: Account
    environment: dict[str, str]

    async def gateway(self, *arguments: str, **environ: str) -> CommandResult:
        """Run `gateway` with these arguments and variables, and return its result."""
        return await run(self.folder, "gateway", *arguments, **{**self.environment, **environ})

    def write(self, accounts: str) -> None:
        """Replace the accounts file."""
        (self.folder / "accounts.toml").write_text(accounts, "utf-8")


@asynccontextmanager
async def opened_cli(folder: Path, settings: Settings, public_url: str = PUBLIC) -> AsyncIterator[CliFixture]:
    """Serve the simulator and yield the command's fixture."""
    socket = listener()
    account = demo_account(f"{url_of(socket)}/sms")
    accounts_file(folder / "accounts.toml", {"sms": {"main": account}})
    environment = {
        "MONGODB_URI": str(settings.mongodb_uri),
        "GATEWAY_DATABASE": settings.database,
        "GATEWAY_PUBLIC_URL": public_url,
    }
    simulator = Server(account, f"{public_url}/webhooks/sms/main")
    async with served(app_of(simulator.blueprint()), socket):
        yield CliFixture(folder, simulator, account, environment)
        await simulator.close()

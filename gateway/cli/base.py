"""The command group, and how commands run: they get the settings, and end with an exit code."""

import asyncio
import getpass
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import click
import uvloop

from gateway.client import Gateway, GatewayError
from gateway.people import audit
from gateway.people.audit import Actor, Deed
from gateway.runtime.runtime import Clock
from gateway.runtime.settings.accounts import SettingsError
from gateway.runtime.settings.settings import Settings, load
from gateway.runtime.telemetry import logs
from storage.documents.documents import Db
from storage.engine.database import DatabaseError
from storage.engine.embedded import EmbeddedError

Command = Callable[[Settings], Awaitable[bool | None]]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="messenger-gateway")
def main() -> None:
    """A gateway between your services and people's messengers.

    Settings come from the environment: GATEWAY_ACCOUNTS (a TOML file, accounts.toml by default), GATEWAY_PUBLIC_URL,
    MONGODB_URI (none: an embedded database in GATEWAY_FOLDER), GATEWAY_CONVERSATION, GATEWAY_REGION; gateway/README.md
    has them all.
    """


def run(command: Command, *, accounts: bool = True, log_level: str = "WARNING") -> None:
    """Run a command with the environment's settings, and exit.

    The exit code is 1 if the command returns False, 2 if it cannot start, else 0. accounts: the accounts file is read.
    log_level: from which on it logs, unless the environment says otherwise; what people read is not mixed with a log.
    """
    try:
        logs.from_environment(log_level)
        result = uvloop.run(_run(command, accounts=accounts))
    except (SettingsError, EmbeddedError) as error:
        _exit(str(error))
    except DatabaseError as error:
        _exit(f"MONGODB_URI: the database does not answer: {str(error).partition(' (configured')[0]}")
    except OSError as error:
        _exit(f"the system does not let us: {error}")
    sys.exit(0 if result is not False else 1)


def run_client(command: Callable[[Gateway], Awaitable[bool]]) -> NoReturn:
    """Run a command with a client of the gateway that GATEWAY_URL and GATEWAY_KEY name, and exit.

    The exit code is 1 if the command returns False, 2 if the gateway refuses or does not answer, else 0.
    """

    async def connect() -> bool:
        async with Gateway() as gateway:
            return await command(gateway)

    try:
        succeeded = asyncio.run(connect())
    except GatewayError as error:
        _exit(f"{error.field}: {error}" if error.field else str(error))
    sys.exit(0 if succeeded else 1)


async def record(db: Db, *deeds: Deed) -> None:
    """Put into the audit what the account that runs this command has done on this machine."""
    for deed in deeds:
        await audit.record(db, Actor(_account(), "shell", socket.gethostname()), deed, Clock()())


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "?"


def _exit(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(2)


async def _run(command: Command, *, accounts: bool) -> bool | None:
    return await command(load(accounts=accounts))


def plain(words: str) -> str:
    """Return the words on one line and without control characters: providers and people have written some of them."""
    return "".join(letter if letter.isprintable() else " " for letter in words)

"""The command group, and how a command runs: settings read, mistakes told in words, an exit code that tells."""

import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import click
import uvloop

from gateway.runtime.settings.accounts import SettingsError
from gateway.runtime.settings.settings import Settings, load
from gateway.runtime.telemetry import logs
from storage.engine.database import DatabaseError
from storage.engine.embedded import EmbeddedError

Command = Callable[[Settings], Awaitable[bool | None]]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="messenger-gateway")
def main() -> None:
    """A gateway between your services and people's messengers.

    Settings come from the environment: GATEWAY_ACCOUNTS (a TOML file, accounts.toml by default), GATEWAY_PUBLIC_URL,
    MONGODB_URI (none: an embedded database in GATEWAY_FOLDER), GATEWAY_CONVERSATION, GATEWAY_REGION; README has them
    all.
    """


def run(command: Command, *, accounts: bool = True) -> None:
    """Run a command with the environment's settings. One that returns False ends with 1; what cannot start, with 2."""
    try:
        logs.from_environment()
        worked = uvloop.run(_run(command, accounts=accounts))
    except (SettingsError, EmbeddedError) as error:
        _end(str(error))
    except DatabaseError as error:
        _end(f"MONGODB_URI: the database does not answer: {str(error).partition(' (configured')[0]}")
    except OSError as error:
        _end(f"the system does not let us: {error}")
    sys.exit(0 if worked is not False else 1)


def _end(why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(2)


async def _run(command: Command, *, accounts: bool) -> bool | None:
    return await command(load(accounts=accounts))


def plain(words: str) -> str:
    """On one line, and without what a terminal would obey: providers and people have written some of it."""
    return "".join(letter if letter.isprintable() else " " for letter in words)

"""Commands about secrets: the API keys of the business's services, and good random ones for the settings."""

import secrets

import click

from gateway.cli.base import main, run
from gateway.runtime import Clock, opened_database
from gateway.settings import Settings
from storage import access


@main.group()
def keys() -> None:
    """API keys for the services that send."""


@keys.command()
@click.argument("name")
def create(name: str) -> None:
    """Make a key and print it: this is the only time that it is shown."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            click.echo(await access.create_key(db, name, Clock()()))

    run(command)


@keys.command("list")
def list_() -> None:
    """Names of the keys, and when they were made."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            for name, created_at in await access.list_keys(db):
                click.echo(f"{created_at:%Y-%m-%d %H:%M}  {name}")

    run(command)


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Take back every key of this NAME, at once."""

    async def command(settings: Settings) -> bool:
        async with opened_database(settings) as db:
            revoked = await access.revoke_keys(db, name)
            click.echo(f"{revoked} revoked")
            return revoked > 0

    run(command)


@main.command()
def secret() -> None:
    """Print a random secret for the accounts file: 40 letters and digits, which every provider takes."""
    click.echo(secrets.token_hex(20))

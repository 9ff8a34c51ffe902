"""Commands about secrets: API keys of the business's services, and random secrets for the settings."""

import secrets

import click

from gateway.cli.base import main, record, run
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.people.audit import Deed
from gateway.runtime.runtime import Clock, opened_database
from gateway.runtime.settings.settings import Settings
from storage.access.keys import create_key, list_keys, revoke_keys


@main.group()
def keys() -> None:
    """API keys for the services that send."""


@keys.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.SENDER.value,
    show_default=True,
    help="What it may do.",
)
def create(name: str, role: str) -> None:
    """Make a key and print it: this is the only time that it is shown."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            key = await create_key(db, name, Clock()(), Role(role))
            await record(db, Deed(Act.KEY_CREATE, name, after={"role": role}))
            click.echo(key)

    run(command, accounts=False)


@keys.command("list")
def list_() -> None:
    """List the keys: when they were made and last used, their roles and names."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            for key in await list_keys(db):
                used = f"{key.used_at:%Y-%m-%d %H:%M}" if key.used_at else "never used"
                click.echo(f"{key.created_at:%Y-%m-%d %H:%M}  {used:<16}  {key.role:<8}  {key.name}")

    run(command, accounts=False)


@keys.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Revoke every key of this NAME, at once."""

    async def command(settings: Settings) -> bool:
        async with opened_database(settings) as db:
            revoked = await revoke_keys(db, name)
            if revoked:
                await record(db, Deed(Act.KEY_REVOKE, name))
            click.echo(f"{revoked} revoked")
            return revoked > 0

    run(command, accounts=False)


@main.command()
def secret() -> None:
    """Print a random secret for the accounts file: 40 letters and digits, which every provider takes."""
    click.echo(secrets.token_hex(20))

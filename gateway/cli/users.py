"""Commands about the people who sign in."""

import sys

import click

from gateway.cli.base import main, run
from gateway.domain.api.roles import Role
from gateway.people import access
from gateway.runtime.runtime import Clock, opened_database
from gateway.runtime.settings.settings import Settings
from storage.access import users as stored_users

from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password's line from the standard input.")


@main.group()
def users() -> None:
    """People who sign in, by their e-mail address."""


@users.command()
@click.argument("email")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), required=True, help="What they may do; see README."
)
@from_stdin
def create(email: str, role: str, *, password_stdin: bool) -> None:
    """Make a user."""
    password = _read_password(prompt=not password_stdin)

    async def command(settings: Settings) -> bool:
        async with opened_database(settings) as db:
            created = await access.create_user(db, email, password, Role(role), Clock()())
        click.echo("made" if created else "there is a user of this address already", err=not created)
        return created

    run(command, accounts=False)


@users.command("list")
def list_() -> None:
    """List the users: since when, their roles and addresses."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            for user in await stored_users.list_users(db):
                click.echo(f"{user.created_at:%Y-%m-%d %H:%M}  {user.role:<8}  {user.id}")

    run(command, accounts=False)


@users.command("set-password")
@click.argument("email")
@from_stdin
def set_password(email: str, *, password_stdin: bool) -> None:
    """Give a user another password, which ends all their sessions."""
    password = _read_password(prompt=not password_stdin)

    async def command(settings: Settings) -> bool:
        async with opened_database(settings) as db:
            changed = await stored_users.set_password(db, email.strip().lower(), await access.hash_password(password))
        click.echo("changed" if changed else "there is no such user", err=not changed)
        return changed

    run(command, accounts=False)


@users.command()
@click.argument("email")
def delete(email: str) -> None:
    """Delete a user, which ends all their sessions."""

    async def command(settings: Settings) -> bool:
        async with opened_database(settings) as db:
            deleted = await stored_users.delete_user(db, email.strip().lower())
        click.echo("deleted" if deleted else "there is no such user", err=not deleted)
        return deleted

    run(command, accounts=False)


def _read_password(*, prompt: bool) -> str:
    """Read a password from a prompt or stdin; as an argument others on this machine could read it."""
    line = click.prompt("Password", hide_input=True, confirmation_prompt=True) if prompt else sys.stdin.readline()
    password = str(line).rstrip("\n")
    if len(password) < access.SHORTEST:
        raise click.UsageError(f"a password has at least {access.SHORTEST} characters")
    return password

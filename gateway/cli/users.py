"""Commands about the people who sign in."""

import sys
from collections.abc import Awaitable, Callable

import click

from gateway.cli.base import main, record, run
from gateway.domain.api.conflict import Conflict
from gateway.domain.api.roles import Role
from gateway.domain.api.users import SHORTEST
from gateway.domain.model.act import Act
from gateway.people import access
from gateway.people import users as people
from gateway.people.audit import Deed
from gateway.runtime.runtime import Clock, opened_database
from gateway.runtime.settings.settings import Settings
from storage.access import users as stored_users
from storage.access.users import User
from storage.documents.documents import Db

from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password's line from the standard input.")
roles = click.Choice([role.value for role in Role])


@main.group()
def users() -> None:
    """People who sign in, by their e-mail address."""


@users.command()
@click.argument("email")
@click.option("--role", type=roles, required=True, help="Operators work on the pages; admins also keep keys and users.")
@from_stdin
def create(email: str, role: str, *, password_stdin: bool) -> None:
    """Make a user."""
    password = _read_password(prompt=not password_stdin)

    async def command(settings: Settings) -> bool:
        async with opened_database(settings) as db:
            created = await access.create_user(db, email, password, Role(role), Clock()())
            if created:
                await record(db, Deed(Act.USER_CREATE, people.plain(email), after={"role": role}))
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


@users.command("set-role")
@click.argument("email")
@click.argument("role", type=roles)
def set_role(email: str, role: str) -> None:
    """Give a user another role, which ends all their sessions. The last admin keeps theirs."""

    async def change(db: Db) -> User | None:
        user = await people.change_role(db, email, Role(role))
        if user:
            await record(db, Deed(Act.USER_CHANGE, user.id, before={"role": user.role}, after={"role": role}))
        return user

    _change(change, "changed")


@users.command("set-password")
@click.argument("email")
@from_stdin
def set_password(email: str, *, password_stdin: bool) -> None:
    """Give a user another password, which ends all their sessions."""
    password = _read_password(prompt=not password_stdin)

    async def change(db: Db) -> bool:
        changed = await people.change_password(db, email, password)
        if changed:
            await record(db, Deed(Act.USER_CHANGE, people.plain(email), after={"password": "another"}))
        return changed

    _change(change, "changed")


@users.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sessions of a user, who may sign in anew."""

    async def change(db: Db) -> bool:
        ended = await people.end_sign_ins(db, email)
        if ended:
            await record(db, Deed(Act.USER_SIGN_OUT, people.plain(email)))
        return ended

    _change(change, "signed out")


@users.command()
@click.argument("email")
def delete(email: str) -> None:
    """Delete a user, which ends all their sessions. The last admin stays."""

    async def change(db: Db) -> User | None:
        user = await people.delete(db, email)
        if user:
            await record(db, Deed(Act.USER_DELETE, user.id, before={"role": user.role}))
        return user

    _change(change, "deleted")


def _change(change: Callable[[Db], Awaitable[User | bool | None]], done: str) -> None:
    """Change a user and say what has become of it. The exit code is 1 if nothing was changed."""

    async def command(settings: Settings) -> bool:
        async with opened_database(settings) as db:
            try:
                changed = bool(await change(db))
            except Conflict as error:
                click.echo(str(error), err=True)
                return False
        click.echo(done if changed else "there is no such user", err=not changed)
        return changed

    run(command, accounts=False)


def _read_password(*, prompt: bool) -> str:
    """Read a password from a prompt or stdin; as an argument others on this machine could read it."""
    line = click.prompt("Password", hide_input=True, confirmation_prompt=True) if prompt else sys.stdin.readline()
    password = str(line).rstrip("\n")
    if len(password) < SHORTEST:
        raise click.UsageError(f"a password has at least {SHORTEST} characters")
    return password

"""Commands about providers' templates: how each stands, handing one over, fetching the provider's list."""

from collections.abc import AsyncIterator

import click

from gateway.cli.base import main, plain, run
from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.channel.errors import SendError
from gateway.domain.model.message_template import MessageTemplate
from gateway.messages.templates.approved import submit
from gateway.messages.templates.syncing import SyncRequest, sync
from gateway.runtime.paging import MOST
from gateway.runtime.runtime import Clock, opened, opened_database
from gateway.runtime.settings.settings import Settings
from storage.documents.newest import Place
from storage.engine.database import Db
from storage.templates import approved


@main.group()
def templates() -> None:
    """Providers' templates, from draft to approved."""


@templates.command("list")
def list_() -> None:
    """All of them, the newest first: id, state, and why."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            async for one in _every(db):
                state = "approved" if one.usable else one.state
                click.echo(plain(f"{one.id}  {state}  {one.reason}").rstrip())

    run(command)


@templates.command("submit")
@click.argument("key", metavar="ID")
def submit_(key: str) -> None:
    """Hand a draft over to the provider. Ends with 1 if it was not taken."""

    async def command(settings: Settings) -> bool:
        async with opened(settings) as runtime:
            try:
                found = await submit(runtime, key)
            except (SendError, Conflict, RequestError) as error:
                click.echo(plain(str(error)), err=True)
                return False
        click.echo(f"{key}: {found.state}" if found else f"there is no template {plain(key)}", err=found is None)
        return found is not None

    run(command)


@templates.command("sync")
@click.argument("channel")
@click.argument("account", required=False)
def sync_(channel: str, account: str | None) -> None:
    """Fetch the provider's list. Ends with 1 if it could not be had."""

    async def command(settings: Settings) -> bool:
        async with opened(settings) as runtime:
            try:
                count = await sync(runtime, SyncRequest(channel=channel, account=account))
            except (SendError, RequestError) as error:
                click.echo(plain(str(error)), err=True)
                return False
        click.echo(f"{count} templates")
        return True

    run(command)


async def _every(db: Db) -> AsyncIterator[MessageTemplate]:
    behind: Place | None = None
    while found := await approved.page(db, behind, Clock()(), MOST):
        for one in found:
            yield one
        last = found[-1]
        behind = Place(last.created_at, last.id) if last.created_at else None

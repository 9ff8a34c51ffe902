"""Commands about providers' templates: list them, submit one for approval, sync with the provider's list."""

from collections.abc import AsyncIterator

import click

from gateway.cli.base import main, plain, record, run
from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.channel.errors import SendError
from gateway.domain.model.act import Act
from gateway.domain.model.message_template import MessageTemplate
from gateway.messages.templates.approved import submit
from gateway.messages.templates.syncing import SyncRequest, sync
from gateway.people.audit import Deed
from gateway.runtime.paging import MOST
from gateway.runtime.runtime import Clock, opened, opened_database
from gateway.runtime.settings.settings import Settings
from storage.documents.documents import Db
from storage.documents.newest import Place
from storage.templates import approved


@main.group()
def templates() -> None:
    """Providers' templates, from draft to approved."""


@templates.command("list")
def list_() -> None:
    """List them, the newest first: id, state, and why."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            async for template in _all_templates(db):
                state = "approved" if template.usable else template.state
                click.echo(plain(f"{template.id}  {state}  {template.reason}").rstrip())

    run(command)


@templates.command("submit")
@click.argument("key", metavar="ID")
def submit_(key: str) -> None:
    """Submit a draft to the provider for approval. Ends with 1 if the provider did not accept it."""

    async def command(settings: Settings) -> bool:
        async with opened(settings) as runtime:
            try:
                template = await submit(runtime, key)
            except (SendError, Conflict, RequestError) as error:
                click.echo(plain(str(error)), err=True)
                return False
            if template:
                await record(runtime.db, Deed(Act.MESSAGE_TEMPLATE_SUBMIT, key, after={"state": template.state}))
        click.echo(
            f"{key}: {template.state}" if template else f"there is no template {plain(key)}", err=template is None
        )
        return template is not None

    run(command)


@templates.command("sync")
@click.argument("channel")
@click.argument("account", required=False)
def sync_(channel: str, account: str | None) -> None:
    """Sync with the provider's list. Ends with 1 if it could not be fetched."""

    async def command(settings: Settings) -> bool:
        async with opened(settings) as runtime:
            try:
                count = await sync(runtime, SyncRequest(channel=channel, account=account))
            except (SendError, RequestError) as error:
                click.echo(plain(str(error)), err=True)
                return False
            await record(runtime.db, Deed(Act.MESSAGE_TEMPLATE_SYNC, f"{channel}:{account}" if account else channel))
        click.echo(f"{count} templates")
        return True

    run(command)


async def _all_templates(db: Db) -> AsyncIterator[MessageTemplate]:
    after: Place | None = None
    while page := await approved.page(db, after, Clock()(), MOST):
        for template in page:
            yield template
        last = page[-1]
        after = Place(last.created_at, last.id) if last.created_at else None

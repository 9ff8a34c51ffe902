"""Commands about our accounts at the providers: check, webhooks."""

import click

from gateway.cli.base import main, run
from gateway.domain.channel.contract import Binding, Channel, webhook_url
from gateway.domain.channel.errors import SendError
from gateway.runtime.runtime import all_channels, open_channels, opened, opened_outside, read_accounts
from gateway.runtime.settings.settings import Settings
from gateway.runtime.settings.webhooks import Action, keep_webhook, problems, remove_webhook, set_webhook
from storage.engine.database import ping


@main.command()
def check() -> None:
    """Settings, database and each account: what is wrong, in words."""

    async def command(settings: Settings) -> bool:
        async with opened(settings) as runtime:
            await ping(runtime.db)
            accounts = all_channels(runtime.channels)
            _tell(f"settings, database, conversation {settings.conversation}")
            found = [
                _tell(f"public URL {settings.public_url}", "" if _https(settings) else "providers call https only"),
                _tell(f"{len(accounts)} accounts", "" if accounts else "set some up in the accounts file"),
            ]
            found += [await _done(channel, keep_webhook, settings) for channel in accounts]
            return all(found)

    run(command)


@main.group()
def webhooks() -> None:
    """Where the providers send what people write. ACCOUNT is channel:name, or left out for all of them."""


@webhooks.command("set")
@click.argument("account", required=False)
def set_(account: str | None) -> None:
    """Point the provider's webhook at this gateway. May be repeated."""
    _for_each(account, set_webhook)


@webhooks.command()
@click.argument("account", required=False)
def delete(account: str | None) -> None:
    """Take the webhook away from the provider. One that goes elsewhere is left alone."""
    _for_each(account, remove_webhook, bound=False)


@webhooks.command()
@click.argument("account", required=False)
def show(account: str | None) -> None:
    """Where the provider's webhook points, and what is wrong with it."""
    _for_each(account, keep_webhook)


def _for_each(account: str | None, act: Action, *, bound: bool = True) -> None:
    """Action on the accounts; `bound`: they ought to be bound to us then."""

    async def command(settings: Settings) -> bool:
        async with opened_outside(settings) as outside:
            channels = open_channels(read_accounts(settings), outside)
            wanted = [channel for channel in all_channels(channels) if account in {None, _name(channel)}]
            if not wanted:
                raise click.UsageError(f"no account {account or ''} is set up")
            return all([await _done(channel, act, settings, bound=bound) for channel in wanted])

    run(command)


async def _done(channel: Channel, act: Action, settings: Settings, *, bound: bool = True) -> bool:
    """Do it, and tell how the provider sees the account then; let go of its connections."""
    url = webhook_url(settings.public_url, channel.facts.name, channel.account)
    try:
        await act(channel, url)
        found = await channel.binding()
    except SendError as error:
        return _tell(_name(channel), str(error))
    finally:
        await channel.close()
    return _tell(_bound(channel, found), "; ".join(problems(found, url if bound else "")))


def _bound(channel: Channel, found: Binding) -> str:
    webhook = "" if found.url is None else f" webhook {found.url or 'not set'}"
    return f"{_name(channel)}{webhook}{f' ({found.note})' if found.note else ''}"


def _tell(what: str, problem: str = "") -> bool:
    click.echo(f"{'WRONG' if problem else 'ok   '}  {what}{': ' if problem else ''}{problem}")
    return not problem


def _https(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")


def _name(channel: Channel) -> str:
    return f"{channel.facts.name}:{channel.account}"

"""Commands about our accounts at the providers: check, webhooks."""

import click

from gateway.cli.base import main, record, run
from gateway.domain.channel.contract import Binding, Channel, webhook_url
from gateway.domain.channel.errors import SendError
from gateway.domain.model.act import Act
from gateway.people.audit import Deed
from gateway.runtime.runtime import (
    account_key,
    all_channels,
    open_channels,
    opened,
    opened_database,
    opened_outside,
    read_accounts,
)
from gateway.runtime.settings.settings import Settings
from gateway.runtime.settings.webhooks import Action, keep_webhook, problems, remove_webhook, set_webhook
from storage.engine.database import ping

NO_ACCOUNTS = "copy accounts.example.toml to accounts.toml, and keep what you use of it"


@main.command()
def check() -> None:
    """Check settings, database and every account, and say what is wrong."""

    async def command(settings: Settings) -> bool:
        async with opened(settings) as runtime:
            await ping(runtime.db)
            accounts = all_channels(runtime.channels)
            _report(f"settings, database, conversation {settings.conversation}")
            results = [
                _report(f"public URL {settings.public_url}", "" if _https(settings) else "providers call https only"),
                _report(f"{len(accounts)} accounts", "" if accounts else NO_ACCOUNTS),
            ]
            results += [await _apply(channel, keep_webhook, settings) for channel in accounts]
            return all(results)

    run(command)


@main.group()
def webhooks() -> None:
    """Webhooks, by which providers deliver what people write. ACCOUNT is channel:name; without it, all accounts."""


@webhooks.command("set")
@click.argument("account", required=False)
def set_(account: str | None) -> None:
    """Point the provider's webhook at this gateway. It may be repeated."""
    _for_each(account, set_webhook, act=Act.ACCOUNT_BIND)


@webhooks.command()
@click.argument("account", required=False)
def delete(account: str | None) -> None:
    """Remove the webhook at the provider. One that goes elsewhere is left alone."""
    _for_each(account, remove_webhook, bound=False, act=Act.ACCOUNT_UNBIND)


@webhooks.command()
@click.argument("account", required=False)
def show(account: str | None) -> None:
    """Show where the provider's webhook points, and what is wrong with it."""
    _for_each(account, keep_webhook)


def _for_each(account: str | None, action: Action, *, bound: bool = True, act: Act | None = None) -> None:
    """Do the action with the named account, or with all. bound: afterwards webhooks ought to go to us.

    act: what goes into the audit; None if nothing is changed.
    """

    async def command(settings: Settings) -> bool:
        async with opened_outside(settings) as outside:
            channels = open_channels(read_accounts(settings), outside)
            chosen = [channel for channel in all_channels(channels) if account in {None, account_key(channel)}]
            if not chosen:
                raise click.UsageError(f"no account {account or ''} is set up")
            results = [await _apply(channel, action, settings, bound=bound) for channel in chosen]
        if act:
            deeds = [Deed(act, account_key(each)) for each, done in zip(chosen, results, strict=True) if done]
            async with opened_database(settings) as db:
                await record(db, *deeds)
        return all(results)

    run(command)


async def _apply(channel: Channel, action: Action, settings: Settings, *, bound: bool = True) -> bool:
    """Do the action, print how the account stands afterwards, and close the channel. Returns False if it is wrong."""
    url = webhook_url(settings.public_url, channel.facts.name, channel.account)
    try:
        await action(channel, url)
        binding = await channel.binding()
    except SendError as error:
        return _report(account_key(channel), str(error))
    finally:
        await channel.close()
    return _report(_describe(channel, binding), "; ".join(problems(binding, url if bound else "")))


def _describe(channel: Channel, binding: Binding) -> str:
    webhook = "" if binding.url is None else f" webhook {binding.url or 'not set'}"
    return f"{account_key(channel)}{webhook}{f' ({binding.note})' if binding.note else ''}"


def _report(subject: str, problem: str = "") -> bool:
    """Print a line about the subject. Returns False if there is a problem."""
    click.echo(f"{'WRONG' if problem else 'ok   '}  {subject}{': ' if problem else ''}{problem}")
    return not problem


def _https(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")

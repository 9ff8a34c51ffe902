"""Pointing an account's provider at us, and what the provider says of it: for the command line and for the API."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import bots
from gateway.domain.channel.contract import Binding, Channel
from gateway.domain.channel.errors import SendError
from gateway.domain.channel.secret import Secret

Act = Callable[[Channel, str], Awaitable[object]]
"""Something to do with an account, and the URL that its provider ought to call."""

PATIENCE = 3
"""Seconds that a provider has to tell how an account stands, where somebody waits for a list."""


async def set_webhook(channel: Channel, url: str) -> None:
    await channel.bind(url)


async def take_away(channel: Channel, url: str) -> None:
    """Another gateway may live under the same token: staging must not switch production off."""
    if (await channel.binding()).url == url:
        await channel.unbind()


async def only_look(_: Channel, __: str) -> None:
    """Nothing is done."""


def problems(found: Binding, url: str) -> Sequence[str]:
    """What the provider says is wrong; and what only we can see: that it would deliver, but not to `url`."""
    if found.url in {None, url}:
        return found.problems
    if not url:
        return ["it is not ours, so it was left alone"]
    missing = f"webhooks do not go to {url}" if found.url else "the webhook is not set"
    return [f"{missing}; gateway webhooks set", *found.problems]


async def looked(channel: Channel) -> Binding | None:
    """How the provider sees it; None where it does not tell in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await channel.binding()
    except (SendError, TimeoutError):
        return None


def at_fault(channel: str, words: str) -> list[str]:
    """Which fields of the account's settings the provider's words are about: those named, else its secrets."""
    fields = [field for field in bots.package(channel).Account.__struct_fields__ if field != "api_url"]
    named = [field for field in fields if field in words]
    types = bots.package(channel).Account.__annotations__
    secrets = [field for field in fields if isinstance(types[field], type) and issubclass(types[field], Secret)]
    return named or secrets

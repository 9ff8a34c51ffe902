"""An account's webhook at its provider: set, removed, and checked, for the command line and the API."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import bots
from gateway.domain.channel.contract import Binding, Channel
from gateway.domain.channel.errors import SendError
from gateway.domain.channel.secret import Secret

Action = Callable[[Channel, str], Awaitable[object]]
"""Does something with an account's webhook, given the URL that the provider ought to call."""

PATIENCE = 3
"""Seconds that a provider has to describe an account, where somebody waits for a list of them."""


async def set_webhook(channel: Channel, url: str) -> None:
    """Point the provider's webhook at `url`. Raises SendError."""
    await channel.bind(url)


async def remove_webhook(channel: Channel, url: str) -> None:
    """Remove the provider's webhook if it points to `url`. Raises SendError.

    Another gateway may live under the same token, and staging must not switch production off.
    """
    if (await channel.binding()).url == url:
        await channel.unbind()


async def keep_webhook(_: Channel, __: str) -> None:
    """Change nothing: the action of commands that only show how an account stands."""


def problems(binding: Binding, url: str) -> Sequence[str]:
    """Return what is wrong: the provider's reports, and a webhook that does not go to `url`, which only we can see.

    An empty `url` means that the webhook ought to be removed.
    """
    if binding.url in {None, url}:
        return binding.problems
    if not url:
        return ["it is not ours, so it was left alone"]
    missing = f"webhooks do not go to {url}" if binding.url else "the webhook is not set"
    return [f"{missing}; gateway webhooks set", *binding.problems]


async def read_binding(channel: Channel) -> Binding | None:
    """Ask the provider how the account stands. Returns None where it fails or does not answer within PATIENCE."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await channel.binding()
    except (SendError, TimeoutError):
        return None


def fields_at_fault(channel: str, words: str) -> list[str]:
    """Return the fields of the account's settings that the provider's words are about: those named, or its secrets."""
    fields = [field for field in bots.package(channel).Account.__struct_fields__ if field != "api_url"]
    mentioned = [field for field in fields if field in words]
    types = bots.package(channel).Account.__annotations__
    secrets = [field for field in fields if isinstance(types[field], type) and issubclass(types[field], Secret)]
    return mentioned or secrets

"""What providers last told of our accounts: each is asked at most once a minute, however many people look."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from quart import current_app

from gateway.domain.channel.contract import Binding, Channel, webhook_url
from gateway.runtime.runtime import account_key
from gateway.runtime.settings.webhooks import read_binding
from webhooks.http.context import runtime

FRESH = timedelta(minutes=1)
"""For how long an answer of the provider about its webhook is used."""

HURRY = 0.5
"""Seconds that a page waits that has other things to show."""

Bindings = dict[str, tuple[datetime, Binding | None]]


async def bindings(channels: Sequence[Channel]) -> Sequence[Binding | None]:
    """Return the accounts' bindings, at most FRESH old; None for those whose providers did not tell."""
    return await asyncio.gather(*map(_binding, channels))


async def bindings_at_hand(channels: Sequence[Channel]) -> Sequence[Binding | None]:
    """Return what providers tell within HURRY, or told before. Who is slower is heard by whoever looks next."""
    asking = asyncio.create_task(bindings(channels))
    running: set[asyncio.Task[object]] = current_app.extensions.setdefault("asking", set())
    running.add(asking)
    asking.add_done_callback(running.discard)
    await asyncio.wait([asking], timeout=HURRY)
    return list(map(_last_binding, channels))


def _last_binding(channel: Channel) -> Binding | None:
    """Return what an account's provider told last, without asking it; None if it was not asked, or did not tell."""
    return _bindings().get(account_key(channel), (None, None))[1]


def remember(channel: Channel, binding: Binding | None) -> None:
    """Keep what an account's provider has just told."""
    _bindings()[account_key(channel)] = (runtime().clock(), binding)


def forget(account: str) -> None:
    """Have an account's provider be asked anew by whoever looks next."""
    _bindings().pop(account, None)


def expected_url(channel: Channel) -> str:
    """Return the address that the provider ought to call."""
    return webhook_url(runtime().settings.public_url, channel.facts.name, channel.account)


async def _binding(channel: Channel) -> Binding | None:
    at, binding = _bindings().get(account_key(channel), (None, None))
    now = runtime().clock()
    if at is None or not now - FRESH < at <= now:
        binding = await read_binding(channel)
        remember(channel, binding)
    return binding


def _bindings() -> Bindings:
    """Return this app's cache of the providers' answers: {account: (when, binding)}."""
    cache: Bindings = current_app.extensions.setdefault("bindings", {})
    return cache

"""Our accounts as the API shows them."""

import asyncio

from gateway.domain.api.formats import iso
from gateway.domain.api.response import View
from gateway.domain.channel.contract import Binding, Channel
from gateway.domain.channel.rates import KINDS, format_rate
from gateway.messages.delivery.held import Backlog, backlog
from gateway.runtime.runtime import account_key, all_channels
from gateway.runtime.settings.webhooks import problems
from storage.accounts import tallies
from storage.accounts.tallies import Tally
from webhooks.http.bindings import bindings, expected_url
from webhooks.http.context import runtime


class WebhookView(View):
    """Where the provider sends webhooks, and what is wrong with that.

    known: whether the provider has told us; url: null where there is none; expected: what url should be.
    """

    known: bool
    url: str | None
    expected: str
    problems: list[str]
    note: str | None


class AccountView(View):
    """One of our accounts, as channel:name.

    state: open, held, or trying (one message tests whether the hold can end). waiting: how many messages wait for the
    end of the hold, the first since waitingSince; they are counted up to 1000. limits: how fast we send. sends,
    errorRate: of this hour and the last one. quality, tier: what the provider thinks of the account, and how many
    people it may write to in a day, in the provider's words.
    """

    account: str
    state: str
    held_until: str | None
    held_since: str | None
    held_because: str | None
    waiting: int
    waiting_since: str | None
    limits: dict[str, str]
    webhook: WebhookView
    quality: str | None
    tier: str | None
    last_inbound_at: str | None
    sends: int
    error_rate: float | None


async def account_views(*, webhooks: bool) -> list[AccountView]:
    """Return our accounts. webhooks: the providers are asked for them."""
    await runtime().gate.holds.refresh()
    channels = all_channels(runtime().channels)
    counts = await tallies.of_accounts(runtime().db, list(map(account_key, channels)), runtime().clock())
    told = await bindings(channels) if webhooks else [None] * len(channels)
    pairs = zip(channels, told, strict=True)
    return await asyncio.gather(*(_account(each, binding, counts[account_key(each)]) for each, binding in pairs))


def webhook_view(channel: Channel, binding: Binding | None) -> WebhookView:
    """Return an account's webhook. binding: None where the provider did not tell it."""
    return WebhookView(
        known=binding is not None,
        url=binding.url if binding else None,
        expected=expected_url(channel),
        problems=list(problems(binding, expected_url(channel)))
        if binding
        else ["the provider was not asked, or does not tell"],
        note=binding.note or None if binding else None,
    )


async def _account(channel: Channel, binding: Binding | None, tally: Tally) -> AccountView:
    name, now = account_key(channel), runtime().clock()
    hold, limits = runtime().gate.holds.of(name, now), runtime().gate.limits[name]
    waiting = await backlog(runtime(), hold) if hold else Backlog(0, None)
    return AccountView(
        account=name,
        state="open" if hold is None else "held" if hold.until > now else "trying",
        held_until=iso(hold.until) if hold else None,
        held_since=iso(hold.since) if hold else None,
        held_because=hold.why if hold else None,
        waiting=waiting.count,
        waiting_since=iso(waiting.since),
        limits={kind: format_rate(getattr(limits, kind)) for kind in KINDS},
        webhook=webhook_view(channel, binding),
        quality=binding.quality or None if binding else None,
        tier=binding.tier or None if binding else None,
        last_inbound_at=iso(tally.last_inbound_at),
        sends=tally.sends,
        error_rate=tally.failures / tally.sends if tally.sends else None,
    )

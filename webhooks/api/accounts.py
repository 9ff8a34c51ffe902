"""Our accounts over HTTP: the state of each, and binding its provider's webhook to this gateway."""

import asyncio
from datetime import datetime, timedelta
from typing import Literal

from quart import Blueprint, current_app
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import Input, convert
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.channel.contract import Binding, Channel, webhook_url
from gateway.domain.channel.errors import Ambiguous, SendError, Unavailable
from gateway.domain.channel.rates import KINDS, format_rate
from gateway.domain.model.act import Act
from gateway.runtime.runtime import account_key, all_channels
from gateway.runtime.settings.webhooks import (
    Action,
    fields_at_fault,
    problems,
    read_binding,
    remove_webhook,
    set_webhook,
)
from storage.accounts import tallies
from storage.accounts.tallies import Tally
from webhooks.http.answers import Refusal, answer
from webhooks.http.audit import records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("accounts", __name__, url_prefix="/api/v1/accounts")

FRESH = timedelta(minutes=1)
"""For how long an answer of the provider about its webhook is used."""

Bindings = dict[str, tuple[datetime, Binding | None]]


class AccountsQuery(Input):
    """webhooks: whether to ask the providers for them. Each has 3 s to answer, and its answer is used for a minute."""

    webhooks: Literal["yes", "no"] = "yes"


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

    state: open, held, or trying (one message tests whether the hold can end). limits: how fast we send. sends,
    errorRate: of this hour and the last one.
    """

    account: str
    state: str
    held_until: str | None
    held_since: str | None
    held_because: str | None
    limits: dict[str, str]
    webhook: WebhookView
    last_inbound_at: str | None
    sends: int
    error_rate: float | None


class AccountsResponse(View):
    """All accounts."""

    accounts: list[AccountView]


@blueprint.get("")
@allow(Role.OPERATOR, Role.SENDER)
@document_querystring(AccountsQuery)
@document_response(AccountsResponse)
async def list_accounts() -> ResponseReturnValue:
    """List our accounts, each with its webhook, last event, error rate, limits, and why it is held."""
    views = await account_views(webhooks=convert(AccountsQuery, query()).webhooks == "yes")
    return answer(AccountsResponse(accounts=views))


async def account_views(*, webhooks: bool) -> list[AccountView]:
    """Return our accounts as the API shows them. webhooks: the providers are asked for them."""
    await runtime().gate.holds.refresh()
    channels = all_channels(runtime().channels)
    counts = await tallies.of_accounts(runtime().db, list(map(account_key, channels)), runtime().clock())
    bindings = await asyncio.gather(*map(_binding, channels)) if webhooks else [None] * len(channels)
    pairs = zip(channels, bindings, strict=True)
    return [_account(channel, binding, counts[account_key(channel)]) for channel, binding in pairs]


@blueprint.post("/<key>/binding")
@allow()
@records(Act.ACCOUNT_BIND)
@document_response(WebhookView, 201)
async def bind(key: str) -> ResponseReturnValue:
    """Point the provider's webhook at this gateway. On any status but 201 nothing was changed; `field` says why."""
    return answer(await bind_account(key), 201)


async def bind_account(key: str) -> WebhookView:
    """Point an account's webhook at this gateway. Raises Refusal."""
    channel = _channel(key)
    if not runtime().settings.public_url.startswith(("https://", "http://127.0.0.1")):
        raise Refusal(409, "Providers call https only.", {"field": "GATEWAY_PUBLIC_URL"})
    return await _change_binding(channel, set_webhook)


@blueprint.delete("/<key>/binding")
@allow()
@records(Act.ACCOUNT_UNBIND)
@document_response(WebhookView, 201)
async def unbind(key: str) -> ResponseReturnValue:
    """Remove this gateway's webhook at the provider; one that points elsewhere is left alone."""
    return answer(await unbind_account(key), 201)


async def unbind_account(key: str) -> WebhookView:
    """Remove this gateway's webhook at an account's provider. Raises Refusal."""
    return await _change_binding(_channel(key), remove_webhook)


async def _change_binding(channel: Channel, act: Action) -> WebhookView:
    """Change the provider's webhook. The provider is asked first, so that faulty settings show before a change."""
    try:
        await channel.binding()
        await act(channel, _url(channel))
        binding = await channel.binding()
    except SendError as error:
        raise _refusal(channel, error) from None
    _bindings()[account_key(channel)] = (runtime().clock(), binding)
    return _webhook(channel, binding)


def _refusal(channel: Channel, error: SendError) -> Refusal:
    if isinstance(error, Unavailable | Ambiguous):
        return Refusal(503, f"The provider does not answer: {error}", {"account": account_key(channel)})
    fields = fields_at_fault(channel.facts.name, str(error))
    return Refusal(409, str(error), {"field": ", ".join(fields), "account": account_key(channel)})


async def _binding(channel: Channel) -> Binding | None:
    """Return the account's binding, at most FRESH old; None if the provider did not tell it."""
    at, binding = _bindings().get(account_key(channel), (None, None))
    now = runtime().clock()
    if at is None or not now - FRESH < at <= now:
        binding = await read_binding(channel)
        _bindings()[account_key(channel)] = (now, binding)
    return binding


def _bindings() -> Bindings:
    """Return this app's cache of the providers' answers: {account: (when, binding)}."""
    cache: Bindings = current_app.extensions.setdefault("bindings", {})
    return cache


def _url(channel: Channel) -> str:
    return webhook_url(runtime().settings.public_url, channel.facts.name, channel.account)


def _webhook(channel: Channel, binding: Binding | None) -> WebhookView:
    return WebhookView(
        known=binding is not None,
        url=binding.url if binding else None,
        expected=_url(channel),
        problems=list(problems(binding, _url(channel)))
        if binding
        else ["the provider was not asked, or does not tell"],
        note=binding.note or None if binding else None,
    )


def _account(channel: Channel, binding: Binding | None, tally: Tally) -> AccountView:
    name, now = account_key(channel), runtime().clock()
    hold, limits = runtime().gate.holds.of(name, now), runtime().gate.limits[name]
    return AccountView(
        account=name,
        state="open" if hold is None else "held" if hold.until > now else "trying",
        held_until=iso(hold.until) if hold else None,
        held_since=iso(hold.since) if hold else None,
        held_because=hold.why if hold else None,
        limits={kind: format_rate(getattr(limits, kind)) for kind in KINDS},
        webhook=_webhook(channel, binding),
        last_inbound_at=iso(tally.last_inbound_at),
        sends=tally.sends,
        error_rate=tally.failures / tally.sends if tally.sends else None,
    )


def _channel(key: str) -> Channel:
    channel = runtime().channel(*key.partition(":")[::2]) if ":" in key else None
    if channel is None:
        raise Refusal(404, "There is no such account.", {"account": key})
    return channel

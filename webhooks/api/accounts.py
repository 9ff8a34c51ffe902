"""Our accounts over HTTP: how each is, and pointing its provider at us."""

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
from gateway.domain.channel.rates import KINDS, told
from gateway.runtime.runtime import account_key, all_channels
from gateway.runtime.settings.webhooks import Act, at_fault, looked, problems, set_webhook, take_away
from storage.accounts import tallies
from storage.accounts.tallies import Tally
from webhooks.http.answers import Refusal, answer
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("accounts", __name__, url_prefix="/api/v1/accounts")

FRESH = timedelta(minutes=1)
"""So long the provider's word on a webhook is believed."""

Seen = dict[str, tuple[datetime, Binding | None]]


class AccountsQuery(Input):
    """webhooks: whether the providers are asked for them; each is believed for a minute, and has 3 s to answer."""

    webhooks: Literal["yes", "no"] = "yes"


class WebhookView(View):
    """Where the provider sends webhooks, and what is wrong. known: has it told us; url: null where there is none."""

    known: bool
    url: str | None
    expected: str
    problems: list[str]
    note: str | None


class AccountView(View):
    """state: open, held, or trying whether it still has to be. sends, errorRate: of this hour and the last one."""

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
    accounts: list[AccountView]


@blueprint.get("")
@allow(Role.OPERATOR, Role.SENDER)
@document_querystring(AccountsQuery)
@document_response(AccountsResponse)
async def rows() -> ResponseReturnValue:
    """Tell how our accounts are: webhook, last event, error rate, limits, and why one is held."""
    asked = convert(AccountsQuery, query())
    await runtime().gate.holds.refresh()
    accounts = all_channels(runtime().channels)
    found = await tallies.of_accounts(runtime().db, list(map(account_key, accounts)), runtime().clock())
    bindings = await asyncio.gather(*map(_binding, accounts)) if asked.webhooks == "yes" else [None] * len(accounts)
    pairs = zip(accounts, bindings, strict=True)
    return answer(
        AccountsResponse(accounts=[_told(channel, seen, found[account_key(channel)]) for channel, seen in pairs])
    )


@blueprint.post("/<key>/binding")
@allow()
@document_response(WebhookView, 201)
async def bind(key: str) -> ResponseReturnValue:
    """Point the provider's webhook at this gateway. Anything but 201: nothing was changed, and `field` says why."""
    channel = _way(key)
    if not runtime().settings.public_url.startswith(("https://", "http://127.0.0.1")):
        raise Refusal(409, "Providers call https only.", {"field": "GATEWAY_PUBLIC_URL"})
    return await _done(channel, set_webhook)


@blueprint.delete("/<key>/binding")
@allow()
@document_response(WebhookView, 201)
async def unbind(key: str) -> ResponseReturnValue:
    """Take the webhook away from the provider; one that goes elsewhere is left alone."""
    return await _done(_way(key), take_away)


async def _done(channel: Channel, act: Act) -> ResponseReturnValue:
    """The provider is asked first: what is wrong with our settings shows before anything is changed."""
    try:
        await channel.binding()
        await act(channel, _url(channel))
        found = await channel.binding()
    except SendError as error:
        raise _refused(channel, error) from None
    _seen()[account_key(channel)] = (runtime().clock(), found)
    return answer(_webhook(channel, found), 201)


def _refused(channel: Channel, error: SendError) -> Refusal:
    if isinstance(error, Unavailable | Ambiguous):
        return Refusal(503, f"The provider does not answer: {error}", {"account": account_key(channel)})
    fields = at_fault(channel.facts.name, str(error))
    return Refusal(409, str(error), {"field": ", ".join(fields), "account": account_key(channel)})


async def _binding(channel: Channel) -> Binding | None:
    at, seen = _seen().get(account_key(channel), (None, None))
    now = runtime().clock()
    if at is None or not now - FRESH < at <= now:
        seen = await looked(channel)
        _seen()[account_key(channel)] = (now, seen)
    return seen


def _seen() -> Seen:
    """What the providers have told this app of late."""
    seen: Seen = current_app.extensions.setdefault("bindings", {})
    return seen


def _url(channel: Channel) -> str:
    return webhook_url(runtime().settings.public_url, channel.facts.name, channel.account)


def _webhook(channel: Channel, seen: Binding | None) -> WebhookView:
    return WebhookView(
        known=seen is not None,
        url=seen.url if seen else None,
        expected=_url(channel),
        problems=list(problems(seen, _url(channel))) if seen else ["the provider was not asked, or does not tell"],
        note=seen.note or None if seen else None,
    )


def _told(channel: Channel, seen: Binding | None, tally: Tally) -> AccountView:
    name, now = account_key(channel), runtime().clock()
    hold, limits = runtime().gate.holds.of(name, now), runtime().gate.limits[name]
    return AccountView(
        account=name,
        state="open" if hold is None else "held" if hold.until > now else "trying",
        held_until=iso(hold.until) if hold else None,
        held_since=iso(hold.since) if hold else None,
        held_because=hold.why if hold else None,
        limits={kind: told(getattr(limits, kind)) for kind in KINDS},
        webhook=_webhook(channel, seen),
        last_inbound_at=iso(tally.last_inbound_at),
        sends=tally.sends,
        error_rate=tally.failures / tally.sends if tally.sends else None,
    )


def _way(key: str) -> Channel:
    channel = runtime().channel(*key.partition(":")[::2]) if ":" in key else None
    if channel is None:
        raise Refusal(404, "There is no such account.", {"account": key})
    return channel

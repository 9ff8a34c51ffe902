"""Our accounts, a card each: whether it sends, its webhook, its figures, and what it costs."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from quart import Blueprint, redirect, render_template, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.roles import Role
from gateway.domain.channel.contract import TemplateApprovals
from gateway.domain.channel.rates import Rate
from gateway.domain.model.act import Act
from gateway.domain.terms.price import Price
from storage.accounts import rate_limits, tallies
from storage.templates import approved
from webhooks.api.account_views import AccountView, account_views
from webhooks.api.accounts import bind_account, try_account, unbind_account
from webhooks.http.answers import Refusal
from webhooks.http.audit import records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.accounts.hours import Hours, drawn
from webhooks.pages.looks import Look, template_state
from webhooks.pages.words import gettext, number, pgettext

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")


@dataclass(frozen=True)
class Limit:
    """How fast an account sends: of so many that may leave at once, how many have, and when the next may; None: now."""

    burst: int
    used: int
    free_at: datetime | None


@dataclass(frozen=True)
class Card:
    """What is shown of an account. limit: None where it has none.

    templates: how many of its provider's templates are in which state.
    """

    account: AccountView
    channel: str
    name: str
    look: Look
    hours: Hours
    limit: Limit | None
    quality: Look | None
    tier: str
    templates: Mapping[str, int]
    price: Price | None


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show a card for each account. Its provider is asked for its webhook, at most once a minute."""
    return await _page({})


@blueprint.post("/<key>/try")
@allow(Role.OPERATOR)
@records(Act.ACCOUNT_TRY)
@hide
async def try_now(key: str) -> ResponseReturnValue:
    """Try now whether a held account works again."""
    return await _changed(key, try_account)


@blueprint.post("/<key>/bind")
@allow()
@records(Act.ACCOUNT_BIND)
@hide
async def bind(key: str) -> ResponseReturnValue:
    """Point the provider's webhook at this gateway."""
    return await _changed(key, bind_account)


@blueprint.post("/<key>/unbind")
@allow()
@records(Act.ACCOUNT_UNBIND)
@hide
async def unbind(key: str) -> ResponseReturnValue:
    """Remove the provider's webhook, if it is this gateway's."""
    return await _changed(key, unbind_account)


async def _changed(key: str, change: Callable[[str], Awaitable[object]]) -> ResponseReturnValue:
    try:
        await change(key)
    except Refusal as refusal:
        if refusal.status == 404:  # noqa: PLR2004
            raise
        return await _page({key: refusal.error}), refusal.status
    return redirect(url_for(".show_list"), 303)


async def _page(mistakes: dict[str, str]) -> str:
    cards = [await _card(account) for account in await account_views(webhooks=True)]
    return await render_template("accounts.html", cards=cards, mistakes=mistakes, template_state=template_state)


async def _card(account: AccountView) -> Card:
    channel, _, name = account.account.partition(":")
    gateway, now = runtime(), runtime().clock()
    rate = gateway.gate.limits[account.account].account
    return Card(
        account,
        channel,
        name,
        _look(account.state),
        drawn(await tallies.by_hour(gateway.db, account.account, now)),
        limit_of(rate, await rate_limits.free_at(gateway.db, account.account), now) if rate else None,
        _quality(account.quality) if account.quality else None,
        _tier(account.tier or ""),
        await _templates(channel, name),
        gateway.settings.prices.get(account.account),
    )


async def _templates(channel: str, name: str) -> Mapping[str, int]:
    if not isinstance(runtime().channel(channel, name), TemplateApprovals):
        return {}
    templates = await approved.of_account(runtime().db, channel, name)
    return Counter("approved" if template.usable else template.state for template in templates)


def limit_of(rate: Rate, free_at: datetime | None, now: datetime) -> Limit:
    """Return how much of a limit is used: each message that has left uses its share for one interval."""
    ahead = max((free_at or now) - now, timedelta(0))
    used = min(-(-ahead // rate.interval), rate.burst)
    next_at = now + ahead - rate.interval * (rate.burst - 1)
    return Limit(rate.burst, used, next_at if next_at > now else None)


def _look(state: str) -> Look:
    return {
        "open": Look(pgettext("account", "Open"), "good", "check"),
        "held": Look(gettext("Held"), "bad", "circle-alert"),
        "trying": Look(gettext("Trying"), "wait", "clock"),
    }[state]


def _quality(word: str) -> Look:
    """Return a provider's word on the quality of an account; one that is not known as it is."""
    looks = {
        "GREEN": Look(pgettext("quality", "high"), "good", "check"),
        "YELLOW": Look(pgettext("quality", "medium"), "wait", "clock"),
        "RED": Look(pgettext("quality", "low"), "bad", "circle-alert"),
        "UNKNOWN": Look(pgettext("quality", "not known yet"), "off", "clock"),
    }
    return looks.get(word, Look(word, "off", "clock"))


def _tier(word: str) -> str:
    """Return to how many people an account may write in a day, in words; a tier that is not known as it is."""
    most = {"TIER_50": 50, "TIER_250": 250, "TIER_1K": 1000, "TIER_2K": 2000, "TIER_10K": 10_000, "TIER_100K": 100_000}
    if word == "TIER_UNLIMITED":
        return gettext("to any number of people")
    if word in most:
        return gettext("to %(count)s people in a day") % {"count": number(most[word])}
    return word

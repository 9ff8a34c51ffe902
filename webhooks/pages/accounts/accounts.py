"""Our accounts, a card each: whether it sends, its webhook, its figures, and what it costs."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from quart import Blueprint, redirect, render_template, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.roles import Role
from gateway.domain.channel.contract import TemplateApprovals
from gateway.domain.model.act import Act
from gateway.domain.terms.price import Price
from storage.accounts import rate_limits
from storage.templates import approved
from webhooks.api.accounts import AccountView, WebhookView, account_views, bind_account, unbind_account
from webhooks.http.answers import Refusal
from webhooks.http.audit import records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.looks import Look, template_state
from webhooks.pages.words import gettext

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")


@dataclass(frozen=True)
class Card:
    """What is shown of an account. busy_until: when its limit lets the next message go; None: now.

    templates: how many of its provider's templates are in which state.
    """

    account: AccountView
    channel: str
    name: str
    look: Look
    busy_until: datetime | None
    templates: Mapping[str, int]
    price: Price | None


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show a card for each account. Its provider is asked for its webhook, at most once a minute."""
    return await _page({})


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


async def _changed(key: str, change: Callable[[str], Awaitable[WebhookView]]) -> ResponseReturnValue:
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
    db, now = runtime().db, runtime().clock()
    free_at = await rate_limits.free_at(db, account.account)
    opened = runtime().channel(channel, name)
    has_templates = isinstance(opened, TemplateApprovals)
    states = Counter(
        "approved" if template.usable else template.state
        for template in (await approved.of_account(db, channel, name) if has_templates else ())
    )
    return Card(
        account,
        channel,
        name,
        _look(account.state),
        free_at if free_at and free_at > now else None,
        states,
        runtime().settings.prices.get(account.account),
    )


def _look(state: str) -> Look:
    return {
        "open": Look(gettext("Open"), "good", "check"),
        "held": Look(gettext("Held"), "bad", "circle-alert"),
        "trying": Look(gettext("Trying"), "wait", "clock"),
    }[state]

"""Our accounts over HTTP: the state of each, trying one that is held, and binding its provider's webhook to us."""

from typing import Literal

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_response

from gateway.domain.api.request import Input, convert
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.errors import Ambiguous, SendError, Unavailable
from gateway.domain.model.act import Act
from gateway.messages.delivery import held
from gateway.runtime.runtime import account_key
from gateway.runtime.settings.webhooks import Action, fields_at_fault, remove_webhook, set_webhook
from webhooks.api.account_views import AccountView, WebhookView, account_views, webhook_view
from webhooks.http.answers import Refusal, answer
from webhooks.http.audit import records
from webhooks.http.bindings import expected_url, forget, remember
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("accounts", __name__, url_prefix="/api/v1/accounts")

ACCEPTED = 202


class AccountsQuery(Input):
    """webhooks: whether to ask the providers for them. Each has 3 s to answer, and its answer is used for a minute."""

    webhooks: Literal["yes", "no"] = "yes"


class AccountsResponse(View):
    """All accounts."""

    accounts: list[AccountView]


class TryResponse(View):
    """account: the one that is tried now."""

    account: str


@blueprint.get("")
@allow(Role.OPERATOR, Role.SENDER)
@document_querystring(AccountsQuery)
@document_response(AccountsResponse)
async def list_accounts() -> ResponseReturnValue:
    """List our accounts, each with its webhook, last event, error rate, limits, and why it is held."""
    views = await account_views(webhooks=convert(AccountsQuery, query()).webhooks == "yes")
    return answer(AccountsResponse(accounts=views))


@blueprint.post("/<key>/try")
@allow(Role.OPERATOR)
@records(Act.ACCOUNT_TRY)
@document_response(TryResponse, ACCEPTED)
async def try_held(key: str) -> ResponseReturnValue:
    """Try now whether a held account works again, by one of the messages that wait, and not only when the hold is over.

    409 if it is not held, or only throttled: then the provider has said how long to wait.
    """
    await try_account(key)
    return answer(TryResponse(account=key), ACCEPTED)


async def try_account(key: str) -> None:
    """Try now whether a held account works again. Raises Refusal."""
    channel = _channel(key)
    if not await held.look_now(runtime(), account_key(channel)):
        raise Refusal(409, "This account is not held for a reason that could be over.", {"account": key})
    forget(key)


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
        await act(channel, expected_url(channel))
        binding = await channel.binding()
    except SendError as error:
        raise _refusal(channel, error) from None
    remember(channel, binding)
    return webhook_view(channel, binding)


def _refusal(channel: Channel, error: SendError) -> Refusal:
    if isinstance(error, Unavailable | Ambiguous):
        return Refusal(503, f"The provider does not answer: {error}", {"account": account_key(channel)})
    fields = fields_at_fault(channel.facts.name, str(error))
    return Refusal(409, str(error), {"field": ", ".join(fields), "account": account_key(channel)})


def _channel(key: str) -> Channel:
    channel = runtime().channel(*key.partition(":")[::2]) if ":" in key else None
    if channel is None:
        raise Refusal(404, "There is no such account.", {"account": key})
    return channel

"""Health checks: whether the process is alive, whether it is ready to work, and how many accounts are held."""

import asyncio

from msgspec import UNSET, UnsetType
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_response

from gateway.domain.api.response import View
from gateway.runtime.heartbeat import hangs, workers
from gateway.runtime.runtime import Runtime
from storage.engine.database import DatabaseError
from webhooks.http.answers import answer
from webhooks.http.context import runtime

blueprint = Blueprint("health", __name__)


class AliveResponse(View):
    """The answer of a process that is alive."""

    alive: bool


class AccountCountsView(View):
    """The number of accounts that may send, and of those that are held."""

    open: int
    held: int


class ReadinessResponse(View):
    """Whether this process is ready.

    workers: how many workers go on, of all processes. worker: "hangs" if this process's own worker does.
    """

    ready: bool
    database: bool
    workers: int | UnsetType = UNSET
    accounts: AccountCountsView | UnsetType = UNSET
    worker: str | UnsetType = UNSET


@blueprint.get("/healthz")
@document_response(AliveResponse)
async def alive() -> ResponseReturnValue:
    """Tell whether the process is alive; if it does not answer, restart it."""
    return answer(AliveResponse(alive=True))


PATIENCE = 2
"""Seconds within which the database has to answer, or it counts as unavailable."""


@blueprint.get("/readyz")
@document_response(ReadinessResponse)
@document_response(ReadinessResponse, 503)
async def ready() -> ResponseReturnValue:
    """Tell whether this process can do its work: 200 while the database answers and its own worker, if any, goes on.

    A web process is ready even if no worker is running: the webhooks that it accepts wait in the inbox, while those
    that are kept from it are lost in the end. The answer holds figures only, since anybody may ask.
    """
    state = await _state(runtime())
    return answer(state, 200 if state.ready else 503)


async def _state(runtime: Runtime) -> ReadinessResponse:
    try:
        async with asyncio.timeout(PATIENCE):
            count = await workers(runtime)
            await runtime.gate.holds.refresh()
    except (DatabaseError, TimeoutError):
        return ReadinessResponse(ready=False, database=False)
    now, accounts = runtime.clock(), runtime.gate.limits
    held = sum(runtime.gate.holds.of(name, now) is not None for name in accounts)
    hanging = hangs(runtime)
    return ReadinessResponse(
        ready=not hanging,
        database=True,
        workers=count,
        accounts=AccountCountsView(open=len(accounts) - held, held=held),
        worker="hangs" if hanging else UNSET,
    )

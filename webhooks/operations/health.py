"""Is the process alive, is it ready to work, and how are our accounts?"""

import asyncio

from msgspec import UNSET, UnsetType
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_response

from gateway.runtime.heartbeat import hangs, workers
from gateway.runtime.runtime import Runtime
from storage.engine.database import DatabaseError
from webhooks.http.answers import View, answer
from webhooks.http.context import runtime

blueprint = Blueprint("health", __name__)


class AliveResponse(View):
    alive: bool


class OpenAlertsView(View):
    """How many of our accounts may send, and how many are held."""

    open: int
    held: int


class ReadinessResponse(View):
    """workers: how many go on, of all processes. worker: "hangs", if this process's own does."""

    ready: bool
    database: bool
    workers: int | UnsetType = UNSET
    accounts: OpenAlertsView | UnsetType = UNSET
    worker: str | UnsetType = UNSET


@blueprint.get("/healthz")
@document_response(AliveResponse)
async def alive() -> ResponseReturnValue:
    """Is the process alive? If not, start it anew."""
    return answer(AliveResponse(alive=True))


PATIENCE = 2
"""Seconds that the database has to answer in, before whoever asks is told that it does not."""


@blueprint.get("/readyz")
@document_response(ReadinessResponse)
@document_response(ReadinessResponse, 503)
async def ready() -> ResponseReturnValue:
    """Can this process do its work? 200 while the database answers and its own worker, if it has one, goes on.

    Without any worker a web process is ready all the same: webhooks that it takes wait in the inbox, those that it is
    not given are lost in the end. Figures only, since anybody may ask.
    """
    state = await _state(runtime())
    return answer(state, 200 if state.ready else 503)


async def _state(runtime: Runtime) -> ReadinessResponse:
    try:
        async with asyncio.timeout(PATIENCE):
            working = await workers(runtime)
            await runtime.gate.holds.refresh()
    except (DatabaseError, TimeoutError):
        return ReadinessResponse(ready=False, database=False)
    now, accounts = runtime.clock(), runtime.gate.limits
    held = sum(runtime.gate.holds.of(name, now) is not None for name in accounts)
    hung = hangs(runtime)
    return ReadinessResponse(
        ready=not hung,
        database=True,
        workers=working,
        accounts=OpenAlertsView(open=len(accounts) - held, held=held),
        worker="hangs" if hung else UNSET,
    )

"""Is the process alive, is it ready to work, and how are our accounts?"""

import asyncio
from typing import Any

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue

from gateway.channel import Channel
from gateway.pace import KINDS, told
from gateway.pulse import hangs, workers
from gateway.runtime import Runtime, account_key
from gateway.words import iso
from storage.database import DatabaseError
from webhooks.context import runtime

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
async def alive() -> ResponseReturnValue:
    return jsonify({"alive": True})


PATIENCE = 2
"""Seconds that the database has to answer in, before whoever asks is told that it does not."""


@blueprint.get("/readyz")
async def ready() -> ResponseReturnValue:
    """200 while this process can do its work: the database answers, and its own worker, if it has one, goes on.

    Without any worker a web process is ready all the same: webhooks that it takes wait in the inbox, those that it is
    not given are lost in the end. Figures only, since anybody may ask.
    """
    state = await _state(runtime())
    return jsonify(state), 200 if state["ready"] else 503


async def _state(runtime: Runtime) -> dict[str, Any]:
    try:
        async with asyncio.timeout(PATIENCE):
            working = await workers(runtime)
            await runtime.gate.holds.refresh()
    except (DatabaseError, TimeoutError):
        return {"ready": False, "database": False}
    now, accounts = runtime.clock(), runtime.gate.limits
    held = sum(runtime.gate.holds.of(name, now) is not None for name in accounts)
    hung = hangs(runtime)
    told = {"workers": working, "accounts": {"open": len(accounts) - held, "held": held}}
    return {"ready": not hung, "database": True, **told} | ({"worker": "hangs"} if hung else {})


def account_health(runtime: Runtime, way: Channel) -> dict[str, Any]:
    """An account as the API tells it: open, held, or trying whether it still has to be; and its limits."""
    name, now = account_key(way), runtime.clock()
    hold, limits = runtime.gate.holds.of(name, now), runtime.gate.limits[name]
    return {
        "account": name,
        "state": "open" if hold is None else "held" if hold.until > now else "trying",
        "heldUntil": iso(hold.until) if hold else None,
        "heldSince": iso(hold.since) if hold else None,
        "heldBecause": hold.why if hold else None,
        "limits": {kind: told(getattr(limits, kind)) for kind in KINDS},
    }

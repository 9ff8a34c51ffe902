"""Is the process alive, is it ready to work, and how are our accounts?"""

from typing import Any

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue

from gateway.channel import Channel
from gateway.pace import KINDS, told
from gateway.runtime import Runtime, account_key
from gateway.words import iso
from storage.database import ping
from webhooks.context import runtime

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
async def alive() -> ResponseReturnValue:
    return jsonify({"alive": True})


@blueprint.get("/readyz")
async def ready() -> ResponseReturnValue:
    """200 while the database answers, else the 503 of every route."""
    await ping(runtime().db)
    return jsonify({"ready": True})


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

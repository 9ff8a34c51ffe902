"""Is the process alive, and is it ready to work?"""

from quart import Blueprint, jsonify
from quart.typing import ResponseReturnValue

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

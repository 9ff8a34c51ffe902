"""The messengers' route as Quart knows it: for what `intake` does not take in, and why."""

from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import hide

from webhooks.inbound.intake import PROBLEM

blueprint = Blueprint("providers", __name__)


@blueprint.route("/webhooks/<channel>/<account>", methods=["GET", "POST"])
@hide
async def webhook(channel: str, account: str) -> ResponseReturnValue:  # noqa: ARG001 - Quart names them
    """Raises what stood in the way, so that every no has one form."""
    raise request.scope[PROBLEM]  # type: ignore[literal-required] # it is ours

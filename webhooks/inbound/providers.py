"""Quart's route for webhooks, which answers those that `intake` refuses."""

from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import hide

from webhooks.inbound.intake import PROBLEM

blueprint = Blueprint("providers", __name__)


@blueprint.route("/webhooks/<channel>/<account>", methods=["GET", "POST"])
@hide
async def webhook(channel: str, account: str) -> ResponseReturnValue:  # noqa: ARG001 - Quart names them
    """Raise the exception for which the webhook was refused, so that it is answered like every other error."""
    raise request.scope[PROBLEM]  # type: ignore[literal-required] # it is ours

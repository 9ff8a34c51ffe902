"""Quart's route for webhooks, which answers those that `intake` refuses."""

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue
from quart_schema import hide

from webhooks.http.answers import Refusal
from webhooks.inbound.intake import PROBLEM

blueprint = Blueprint("providers", __name__)


@blueprint.route("/webhooks/<channel>/<account>", methods=["GET", "POST"])
@hide
async def webhook(channel: str, account: str) -> ResponseReturnValue:  # noqa: ARG001 - Quart names them
    """Raise the exception for which the webhook was refused, so that it is answered like every other error.

    What Quart takes for this path and `intake` does not, as with two slashes, is nobody's webhook.
    """
    scope: Mapping[str, Any] = dict(request.scope)
    raise scope.get(PROBLEM) or Refusal(404, "There is no such account.")

"""Files for the operators' pages: by the door of the pages, and otherwise as the API has them."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.roles import Role
from webhooks.http.files import file_answer
from webhooks.http.guard import allow

blueprint = Blueprint("media", __name__, url_prefix="/media")


@blueprint.get("/<key>")
@allow(Role.OPERATOR)
@hide
async def show(key: str) -> ResponseReturnValue:
    """Show a person's picture, or let any other file be saved."""
    return await file_answer(key)

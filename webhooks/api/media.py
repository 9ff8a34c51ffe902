"""Files over HTTP: those that people sent in conversations, and those that clients upload to be sent."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.file_links import Expired, check_link
from gateway.domain.api.roles import Role
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime
from webhooks.http.files import file_answer
from webhooks.http.guard import allow
from webhooks.http.openapi import document_files

blueprint = Blueprint("media", __name__)

ANY = "application/octet-stream"


@blueprint.get("/api/v1/media/<key>")
@allow(Role.OPERATOR)
@document_files(ANY, "image/*")
async def download(key: str) -> ResponseReturnValue:
    """Download a file by the id under which a chat log, a callback or an upload names it.

    What we have not kept comes from the provider: 410 if that has it no more, 503 if it does not answer now.
    """
    return await file_answer(key)


@blueprint.get("/media/<key>/<proof>/<name>")
@hide
async def follow(key: str, proof: str, name: str) -> ResponseReturnValue:  # noqa: ARG001 - the name is for people
    """Serve a file to whoever has a link to it that we have signed, as long as that holds."""
    settings = runtime().settings
    try:
        is_ours = check_link([secret.reveal() for secret in settings.media_secrets], key, proof, runtime().clock())
    except Expired:
        raise Refusal(410, "This link has expired.") from None
    if not is_ours:
        raise Refusal(404, "There is no such file.")
    return await file_answer(key)

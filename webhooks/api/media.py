"""Files over HTTP: those that people sent in conversations, and those that clients upload to be sent."""

from typing import Annotated

from msgspec import Meta
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_response, hide

from gateway.domain.api.file_links import Expired, check_link
from gateway.domain.api.request import Input, convert
from gateway.domain.api.response import UploadedFileView
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.messages.media import uploading
from webhooks.http.answers import Refusal, answer
from webhooks.http.audit import note, records
from webhooks.http.context import query, runtime
from webhooks.http.files import file_answer
from webhooks.http.guard import allow
from webhooks.http.openapi import ErrorResponse, document_files, document_uploads
from webhooks.http.uploads import uploaded

blueprint = Blueprint("media", __name__)

ANY = "application/octet-stream"


class UploadQuery(Input):
    """name: the file's, as people read it; a form has it with its file."""

    name: Annotated[str, Meta(max_length=256)] = ""


@blueprint.post("/api/v1/media")
@allow(Role.SENDER, Role.OPERATOR)
@records(Act.MEDIA_UPLOAD)
@document_querystring(UploadQuery)
@document_uploads(ANY, "multipart/form-data")
@document_response(UploadedFileView, 201)
async def upload() -> ResponseReturnValue:
    """Upload a file to be sent, of up to 16 MB: as the body, or as the only file of a form.

    Its id goes into a step or a reply as `media: {id}`, in as many messages as you like until it expires.
    """
    wanted = convert(UploadQuery, query())
    async with uploaded(uploading.LARGEST) as content:
        file = await uploading.upload(runtime(), wanted.name or content.name, content.content)
    note(file.id, name=file.name)
    return answer(file, 201)


@blueprint.get("/api/v1/media/<key>")
@allow(Role.OPERATOR)
@document_files(ANY, "image/*")
@document_response(ErrorResponse, 410)
@document_response(ErrorResponse, 416)
@document_response(ErrorResponse, 502)
async def download(key: str) -> ResponseReturnValue:
    """Download a file by the id under which a chat log, a callback or an upload names it.

    What we have not kept comes from the provider: 410 if that has it no more, 503 if it does not answer now. What we
    have is also given in part (`Range`, one range of bytes).
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

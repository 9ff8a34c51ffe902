"""Answers with a file that somebody else made: a browser is never let run what stands in it."""

from datetime import timedelta
from urllib.parse import quote

from quart import Response, request

from gateway.domain.channel.errors import Refused, SendError, Unavailable
from gateway.messages.media.kinds import PICTURES
from gateway.messages.media.opening import OpenedFile, Pieces, open_file
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime

LONGEST = timedelta(minutes=15)
"""How long a client may take to download a file."""

PATIENCE = 30
"""Seconds after which a file may be had again, where the provider names no time."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "private, max-age=300",
}


async def file_answer(key: str) -> Response:
    """Return a response with this file: shown if it is a picture, else saved. Raises Refusal (404, 410, 502, 503)."""
    try:
        file = await open_file(runtime(), key)
    except SendError as error:
        raise _refusal(error) from None
    if file is None:
        raise Refusal(404, "There is no such file.", {"id": key[:100]})
    response = Response(await _body(file), content_type=file.content_type)
    response.headers.update(HEADERS)
    shown = "inline" if file.content_type in PICTURES else "attachment"
    response.headers["Content-Disposition"] = f"{shown}; filename*=UTF-8''{quote(file.name, safe='')}"  # RFC 6266
    if file.size is not None:
        response.headers["Content-Length"] = str(file.size)
    response.timeout = LONGEST.total_seconds()
    return response


async def _body(file: OpenedFile) -> bytes | Pieces:
    """Return the bytes that are sent: none, if only the headers are asked for."""
    if request.method != "HEAD":
        return file.pieces
    await file.pieces.aclose()
    return b""


def _refusal(error: SendError) -> Refusal:
    """Return the answer for a file that cannot be had: never again (410), not now (503), or not by us (502)."""
    if isinstance(error, Refused):
        return Refusal(410, f"The file cannot be had: {error}.")
    if not isinstance(error, Unavailable):
        return Refusal(502, f"The file cannot be had now: {error}.")
    refusal = Refusal(503, f"The file cannot be had now: {error}.")
    refusal.retry_after = int(error.retry_after.total_seconds()) + 1 if error.retry_after else PATIENCE
    return refusal

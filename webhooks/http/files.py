"""Answers with a file that somebody else made: a browser is never let run what stands in it."""

from contextlib import aclosing
from datetime import timedelta
from urllib.parse import quote

from quart import Response, request
from werkzeug.http import parse_range_header

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
    """Return a response with this file: shown if it is a picture, else saved. Raises Refusal (404, 410, 416, 50x)."""
    try:
        file = await open_file(runtime(), key)
    except SendError as error:
        raise _refusal(error) from None
    if file is None:
        raise Refusal(404, "There is no such file.", {"id": key[:100]})
    wanted = _part(file)
    response = Response(await _body(file, wanted), 206 if wanted else 200, content_type=file.content_type)
    response.headers.update(HEADERS)
    shown = "inline" if file.content_type in PICTURES else "attachment"
    response.headers["Content-Disposition"] = f"{shown}; filename*=UTF-8''{quote(file.name, safe='')}"  # RFC 6266
    if file.size is not None:
        start, end = wanted or (0, file.size)
        response.headers["Content-Length"] = str(end - start)
        response.headers["Accept-Ranges"] = "bytes"
        if wanted:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    response.timeout = LONGEST.total_seconds()
    return response


def _part(file: OpenedFile) -> tuple[int, int] | None:
    """Return the first byte that is asked for and the one behind the last; None for all. Raises Refusal (416).

    RFC 9110, 14: of several ranges, or where we do not know the size, all of the file may be sent.
    """
    wanted = parse_range_header(request.headers.get("Range"))
    if request.method == "HEAD" or file.size is None or wanted is None:
        return None
    if wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    part = wanted.range_for_length(file.size)
    if part is None:
        raise Refusal(416, f"The file has {file.size} bytes.")
    return part


async def _body(file: OpenedFile, wanted: tuple[int, int] | None) -> bytes | Pieces:
    """Return the bytes that are sent: none, if only the headers are asked for."""
    if request.method == "HEAD":
        await file.pieces.aclose()
        return b""
    return _cut(file.pieces, *wanted) if wanted else file.pieces


async def _cut(pieces: Pieces, start: int, end: int) -> Pieces:
    """Yield the bytes from `start` on and before `end`."""
    at = 0
    async with aclosing(pieces):
        async for piece in pieces:
            if part := piece[max(start - at, 0) : max(end - at, 0)]:
                yield part
            at += len(piece)
            if at >= end:
                return


def _refusal(error: SendError) -> Refusal:
    """Return the answer for a file that cannot be had: never again (410), not now (503), or not by us (502)."""
    if isinstance(error, Refused):
        return Refusal(410, f"The file cannot be had: {error}.")
    if not isinstance(error, Unavailable):
        return Refusal(502, f"The file cannot be had now: {error}.")
    refusal = Refusal(503, f"The file cannot be had now: {error}.")
    refusal.retry_after = int(error.retry_after.total_seconds()) + 1 if error.retry_after else PATIENCE
    return refusal

"""Request ids: every request has one, the caller's or ours, which stands in its answer and in its log lines."""

import re
from secrets import token_hex

from quart import Response, g, request
from structlog.contextvars import bind_contextvars

HEADER = "X-Request-Id"
SAFE = re.compile(r"[\w.:-]{1,64}", re.ASCII)


async def assign_request_id() -> None:
    """Take the caller's id for this request if it is safe to log, else a random one."""
    own = request.headers.get(HEADER, "")
    g.request_id = own if SAFE.fullmatch(own) else token_hex(8)
    bind_contextvars(request_id=g.request_id)


async def add_request_id(response: Response) -> Response:
    """Add the request's id to the headers of its answer."""
    response.headers[HEADER] = g.request_id
    return response

"""Every request has a name, the caller's or ours: it stands in its answer and in all that is logged for it."""

import re
from secrets import token_hex

from quart import Response, g, request
from structlog.contextvars import bind_contextvars

HEADER = "X-Request-Id"
SANE = re.compile(r"[\w.:-]{1,64}", re.ASCII)


async def name_request() -> None:
    asked = request.headers.get(HEADER, "")
    g.request_id = asked if SANE.fullmatch(asked) else token_hex(8)
    bind_contextvars(request_id=g.request_id)


async def tell_name(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    return response

"""What the routes stand on: the runtime of the app that is answering, and the raw body of the request."""

from quart import current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from gateway.runtime import Runtime


def runtime() -> Runtime:
    found = current_app.extensions["runtime"]
    if not isinstance(found, Runtime):
        raise TypeError(found)
    return found


API_BODY = 1024 * 1024
"""The largest body of a caller's, in bytes."""


async def body(limit: int = API_BODY) -> bytes:
    """The body as it came. Raises RequestEntityTooLarge past `limit` bytes."""
    too_large = RequestEntityTooLarge(f"The body is too large: at most {limit} bytes.")
    if (request.content_length or 0) > limit:
        raise too_large
    raw = await request.get_data(cache=False, as_text=False)
    if len(raw) > limit:  # it came in chunks, without its length
        raise too_large
    return raw if isinstance(raw, bytes) else raw.encode()

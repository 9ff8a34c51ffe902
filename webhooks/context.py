"""What the routes stand on: the runtime of the app that is answering, and the raw body of the request."""

from quart import current_app, request

from gateway.runtime import Runtime


def runtime() -> Runtime:
    found = current_app.extensions["runtime"]
    if not isinstance(found, Runtime):
        raise TypeError(found)
    return found


async def body() -> bytes:
    """The body as it came. Raises RequestEntityTooLarge past the request's limit."""
    raw = await request.get_data(cache=False, as_text=False)
    if not isinstance(raw, bytes):
        raise TypeError(raw)
    return raw

"""What the routes stand on: the runtime of the app that is answering, the request's raw body and its query."""

from typing import Any

from quart import current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from gateway.domain.api.request import RequestError
from gateway.runtime.runtime import Runtime


def runtime() -> Runtime:
    found = current_app.extensions["runtime"]
    if not isinstance(found, Runtime):
        raise TypeError(found)
    return found


API_BODY = 1024 * 1024
"""The largest body of a caller's, in bytes."""


def too_large(limit: int) -> RequestEntityTooLarge:
    """What whoever sends more than so many bytes is told."""
    return RequestEntityTooLarge(f"The body is too large: at most {limit} bytes.")


async def body(limit: int = API_BODY) -> bytes:
    """A caller's body as it came. Raises RequestEntityTooLarge past `limit` bytes."""
    if (request.content_length or 0) > limit:
        async for _ in request.body:  # who is still sending would not hear the answer
            pass
        raise too_large(limit)
    raw = await request.get_data(cache=False, as_text=False)
    if len(raw) > limit:  # it came in chunks, without its length
        raise too_large(limit)
    return raw if isinstance(raw, bytes) else raw.encode()


def client() -> str:
    """Who calls: the address that is connected to us, or to the first of our own proxies (GATEWAY_PROXIES)."""
    proxies = runtime().settings.proxies
    told = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",") if one.strip()]
    return told[-proxies] if proxies and len(told) >= proxies else request.remote_addr or ""


def query() -> dict[str, Any]:
    """The query's parameters, numbers as numbers. Raises RequestError where one is given twice."""
    given = {name: request.args.getlist(name) for name in request.args}
    for name, values in given.items():
        if len(values) > 1:
            raise RequestError("invalid", "give it once", name)
    return {name: int(value) if name in NUMBERS and _is_number(value) else value for name, (value,) in given.items()}


NUMBERS = frozenset({"limit", "version"})


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 10  # noqa: PLR2004 - more than any limit

"""What routes work with: the runtime of the current app, the request's raw body, its query and the client's address."""

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from quart import current_app, request
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from gateway.domain.api.request import RequestError
from gateway.runtime.runtime import Runtime


def runtime() -> Runtime:
    """Return the runtime of the app that handles the current request."""
    extension = current_app.extensions["runtime"]
    if not isinstance(extension, Runtime):
        raise TypeError(extension)
    return extension


API_BODY = 1024 * 1024
"""The largest body of an API request, in bytes."""


def too_large(limit: int, what: str = "The body") -> RequestEntityTooLarge:
    """Return the error for a body, or for another part of a request, of more than `limit` bytes."""
    return RequestEntityTooLarge(f"{what} is too large: at most {limit} bytes.")


async def body(limit: int = API_BODY) -> bytes:
    """Return the request's raw body. Raises RequestEntityTooLarge past `limit` bytes, and holds no more of them."""
    raw, size, most = bytearray(), 0, current_app.config["MAX_CONTENT_LENGTH"]
    try:
        async with asyncio.timeout(current_app.config["BODY_TIMEOUT"]):
            async for chunk in request.body:
                size += len(chunk)
                if size <= limit:
                    raw += chunk
                elif size > most:  # it came in chunks, without its length
                    break  # a client that is still sending would not read the answer, but there is an end to it
    except TimeoutError:
        raise RequestTimeout from None
    if size > limit:
        raise too_large(limit)
    return bytes(raw)


def client_address() -> str:
    """Return the client's address: the one connected to us, or to the first of our own proxies (GATEWAY_PROXIES)."""
    proxies = runtime().settings.proxies
    forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))  # a proxy may add a line instead of a word
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    return hops[-proxies] if proxies and len(hops) >= proxies else request.remote_addr or ""


def query() -> dict[str, Any]:
    """Return the query's parameters, numbers as int. Raises RequestError if a parameter is given twice."""
    parameters = {name: request.args.getlist(name) for name in request.args}
    for name, values in parameters.items():
        if len(values) > 1:
            raise RequestError("invalid", "give it once", name)
    return {name: _read(name, text) for name, (text,) in parameters.items()}


def _read(name: str, text: str) -> int | str:
    """Return a parameter's value. A plus that was not encoded has become a blank: before a number it is put back."""
    if name in NUMBERS and _is_number(text):
        return int(text)
    if name in DAYS and len(text) == len("2026-11-29"):
        return _edge_of_day(name, text)
    kind, colon, number = text.rpartition(":") if name == "identifier" else ("", "", text)
    if name in PHONES and kind in {"", "phone"} and number[:1] == " " and number[1:2].isdigit():
        return f"{kind}{colon}+{number[1:]}"
    return text


PHONES = frozenset({"phone", "identifier"})


DAYS = {"from": timedelta(0), "to": timedelta(days=1)}
"""Parameters that may be a day without a time, and what is between its beginning and the moment that is meant."""


def _edge_of_day(name: str, text: str) -> str:
    """Return the moment that is meant by this day here. Raises RequestError where there is none."""
    try:
        midnight = datetime.combine(date.fromisoformat(text), time(), ZoneInfo(runtime().settings.timezone))
        return (midnight + DAYS[name]).isoformat()
    except ValueError:
        raise RequestError("invalid", "there is no such day: one is written as in 2026-11-29", name) from None
    except OverflowError:
        raise RequestError("invalid", "the calendar ends with this day: name one before it", name) from None


NUMBERS = frozenset({"limit", "version"})


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 - more than any limit

"""Takes in the webhooks of all channels in one way: verify, parse, store, and only then answer 2xx.

Webhooks are most of our traffic and are all alike, so they are handled before Quart builds its request, contexts and
response, which would cost more than all that is done here. A call that is refused is passed on to Quart's route, which
answers with the error.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPRequestEvent,
    HTTPScope,
    Scope,
)
from quart import Quart
from werkzeug.exceptions import RequestTimeout

from gateway.domain.channel.calls import Answer, Call, Forged, Malformed
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from gateway.runtime.telemetry.spans import span
from webhooks.http.answers import Refusal, status_of
from webhooks.http.context import too_large

log = logging.getLogger(__name__)

PROBLEM = "gateway.problem"
"""The key in a request's scope of the exception that Quart's route raises."""

BODY_TIMEOUT = 60
"""Seconds that a body may take to arrive."""

METHODS = frozenset({"GET", "HEAD", "POST"})


class Gone(Exception):
    """The provider has closed the connection."""


class App(Quart):
    """Quart, with a shortcut for webhooks."""

    async def asgi_app(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer a webhook; leave everything else, and errors, to Quart (see Quart.asgi_app)."""
        if scope["type"] == "http" and not scope["path"].startswith("/"):  # the target is a whole address
            scope = {**scope, "path": _path(scope["path"])}
        if scope["type"] != "http" or scope["method"] not in METHODS or not (account := _account(scope["path"])):
            await super().asgi_app(scope, receive, send)
            return
        try:
            with span("webhook", channel=account[0]):
                most = self.config["MAX_CONTENT_LENGTH"]
                answer = await take_in(self.extensions["runtime"], account, scope, receive, most)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001 - Quart has an answer for every exception
            channel = account[0] if account[0] in self.extensions["runtime"].channels else ""
            metrics.REFUSED_WEBHOOKS.labels(channel, status_of(error)).inc()
            refused: Any = {**scope, PROBLEM: error}
            await super().asgi_app(refused, _without_body(receive), send)
        else:
            await _respond(send, answer, scope["method"])


async def take_in(
    runtime: Runtime, account: tuple[str, str], scope: HTTPScope, receive: ASGIReceiveCallable, most: int
) -> Answer:
    """Store the events of a webhook for this account (channel, name). most: bytes of a body that are read at all.

    Returns the channel's answer once they are on disk. Raises Refusal for an unknown account, a wrong proof (401 or
    403) and a body that cannot be read (400); DatabaseError (503) if the events may not be stored, so that the
    provider delivers them again.
    """
    began, channel = time.perf_counter(), runtime.channels.get(account[0], {}).get(account[1])
    if channel is None:
        raise Refusal(404, "There is no such account.")
    call = await _call(runtime, scope, receive, (channel.facts.max_body, most))
    try:
        channel.verify(call)
        parsed = channel.parse(call)
    except Forged as error:
        log.warning("%s:%s: a call without its proof: %s", *account, error)
        raise Refusal(error.status, "The proof is missing or wrong.") from None
    except Malformed as error:
        raise Refusal(400, f"This cannot be read: {error}") from None
    await runtime.inbox.add(parsed.events, call.received_at)
    runtime.inbox_bell.set()
    metrics.ACK.labels(account[0]).observe(time.perf_counter() - began)
    return parsed.answer


def _path(target: str) -> str:
    """Return the path of a target in another form than a path: a whole address (RFC 9112, 3.2.2), a host, or `*`."""
    try:
        return f"/{urlsplit(target).path.lstrip('/')}"
    except ValueError:
        return "/"


def _account(path: str) -> tuple[str, str] | None:
    """Return the channel and the account of /webhooks/<channel>/<account>; None for any other path."""
    parts = path.split("/")
    return (parts[2], parts[3]) if parts[:2] == ["", "webhooks"] and len(parts) == 4 and all(parts[2:]) else None  # noqa: PLR2004


async def _call(runtime: Runtime, scope: HTTPScope, receive: ASGIReceiveCallable, limits: tuple[int, int]) -> Call:
    query = scope["query_string"].decode("latin-1")
    url = f"{runtime.settings.public_url}{scope['path']}" + (f"?{query}" if query else "")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    length = headers.get("content-length", "")
    body = await _body(receive, limits, int(length) if length.isdecimal() else 0)
    return Call(scope["method"], url, headers, body, runtime.clock(), _parameters(query) if query else {})


def _parameters(query: str) -> Mapping[str, str]:
    """Parse a query. If a name is given twice, its first value counts."""
    return dict(reversed(parse_qsl(query, keep_blank_values=True)))


async def _body(receive: ASGIReceiveCallable, limits: tuple[int, int], length: int) -> bytes:
    """Read the raw body, whose header announced `length` bytes. limits: bytes that are kept, and that are read.

    Raises RequestEntityTooLarge past the first limit; RequestTimeout after BODY_TIMEOUT.
    """
    if length > limits[1]:
        raise too_large(limits[0])
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            return await _read_body(receive, *limits)
    except TimeoutError:
        raise RequestTimeout from None


async def _read_body(receive: ASGIReceiveCallable, limit: int, most: int) -> bytes:
    body, size, more = bytearray(), 0, True
    while more and size <= most:  # what is too large is thrown away: who is still sending would not read the answer
        event = await receive()
        if event["type"] != "http.request":
            raise Gone
        size, more = size + len(event["body"]), event["more_body"]
        if size <= limit:
            body += event["body"]
    if size > limit:
        raise too_large(limit)
    return bytes(body)


def _without_body(receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """Return a `receive` for Quart of a request whose body was read before: an empty body, then the other events."""
    empty: HTTPRequestEvent = {"type": "http.request", "body": b"", "more_body": False}
    events = iter([empty])

    async def receive_event() -> ASGIReceiveEvent:
        return next(events, None) or await receive()

    return receive_event


async def _respond(send: ASGISendCallable, answer: Answer, method: str) -> None:
    body = answer.body.encode()
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body, "more_body": False})

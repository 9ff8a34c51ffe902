"""Where the messengers call: one way for every channel. Verify, parse, store, and only then say 2xx.

These calls are most of all, and each is the same, so they are taken in before Quart builds its request, contexts and
response, which costs more than all that is done here. Whoever is to hear no is handed on to Quart's route for it.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

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
"""In a request's scope: what stands in its way, for Quart's route to raise."""

BODY_TIMEOUT = 60
"""Seconds that a body may take to come."""

METHODS = frozenset({"GET", "HEAD", "POST"})


class Gone(Exception):
    """The caller has hung up."""


class App(Quart):
    """Quart, with a short way in for webhooks."""

    async def asgi_app(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """See Quart.asgi_app, the place for what goes before everything else."""
        if scope["type"] != "http" or scope["method"] not in METHODS or not (named := _named(scope["path"])):
            await super().asgi_app(scope, receive, send)
            return
        try:
            with span("webhook", channel=named[0]):
                answer = await take_in(self.extensions["runtime"], named, scope, receive)
        except Gone:
            return
        except Exception as error:  # noqa: BLE001 - every exception has its answer there
            known = named[0] if named[0] in self.extensions["runtime"].channels else ""
            metrics.REFUSED_WEBHOOKS.labels(known, status_of(error)).inc()
            told: Any = {**scope, PROBLEM: error}
            await super().asgi_app(told, _no_more(receive), send)
        else:
            await _say(send, answer, scope["method"])


async def take_in(runtime: Runtime, named: tuple[str, str], scope: HTTPScope, receive: ASGIReceiveCallable) -> Answer:
    """The answer to a provider whose events are on disk.

    Only a failure of ours to store them is a 5xx: then the provider delivers again.
    """
    began, channel = time.perf_counter(), runtime.channel(*named)
    if channel is None:
        raise Refusal(404, "There is no such account.")
    call = await _call(runtime, scope, receive, channel.facts.max_body)
    try:
        channel.verify(call)
        parsed = channel.parse(call)
    except Forged as error:
        log.warning("%s:%s: a call without its proof: %s", *named, error)
        raise Refusal(error.status, "The proof is missing or wrong.") from None
    except Malformed as error:
        raise Refusal(400, f"This cannot be read: {error}") from None
    await runtime.inbox.add(parsed.events, call.received_at)
    runtime.inbox_bell.set()
    metrics.ACK.labels(named[0]).observe(time.perf_counter() - began)
    return parsed.answer


def _named(path: str) -> tuple[str, str] | None:
    """The channel and account of /webhooks/<channel>/<account>."""
    parts = path.split("/")
    return (parts[2], parts[3]) if parts[:2] == ["", "webhooks"] and len(parts) == 4 and all(parts[2:]) else None  # noqa: PLR2004


async def _call(runtime: Runtime, scope: HTTPScope, receive: ASGIReceiveCallable, limit: int) -> Call:
    asked = scope["query_string"].decode("latin-1")
    url = f"{runtime.settings.public_url}{scope['path']}" + (f"?{asked}" if asked else "")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    told = headers.get("content-length", "")
    body = await _body(receive, limit, int(told) if told.isdecimal() else 0)
    return Call(scope["method"], url, headers, body, runtime.clock(), _query(asked) if asked else {})


def _query(asked: str) -> Mapping[str, str]:
    """Of a name that is given twice the first value counts."""
    return dict(reversed(parse_qsl(asked, keep_blank_values=True)))


async def _body(receive: ASGIReceiveCallable, limit: int, told: int) -> bytes:
    """The body as it came. Raises RequestEntityTooLarge past `limit` bytes, of which it reads no more."""
    if told > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            return await _received(receive, limit)
    except TimeoutError:
        raise RequestTimeout from None


async def _received(receive: ASGIReceiveCallable, limit: int) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            raise Gone
        body, more = body + event["body"], event["more_body"]
        if len(body) > limit:  # it came in chunks, without its length
            raise too_large(limit)
    return body


def _no_more(receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """What Quart hears of a request whose body was read before: an empty one, and then whether the caller is there."""
    ended: HTTPRequestEvent = {"type": "http.request", "body": b"", "more_body": False}
    events = iter([ended])

    async def heard() -> ASGIReceiveEvent:
        return next(events, None) or await receive()

    return heard


async def _say(send: ASGISendCallable, answer: Answer, method: str) -> None:
    body = answer.body.encode()
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body, "more_body": False})

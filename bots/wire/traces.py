"""Records what was sent to a provider while a message was being sent, and what came back.

It listens at the HTTP session that all channels share, so that no channel has to do anything for it, aiogram's calls
included. The sender opens a trace; without an open trace nothing is recorded.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import aiohttp

MOST = 8 * 1024
"""Bytes of a request's or a response's body that are kept."""

HIDDEN = "•••"
"""Stands in place of hidden text. Queries are always hidden: in upload addresses they are the proof of access."""

PENDING, TORN = "no answer yet", "the answer broke off"


@dataclass
class Exchange:
    """One request and its response, as they went over the wire.

    began: Unix seconds; seconds: how long it took. kind, answer_kind: the Content-Type of each body; sent, received:
    its whole size in bytes. broke: how the connection failed, "" if it did not. retry_after: as the provider wrote it.
    What never left is not recorded, either: a provider that could not be reached was sent no body.
    """

    method: str
    url: str
    began: float
    kind: str = ""
    request: bytearray = field(default_factory=bytearray)
    sent: int = 0
    status: int = 0
    answer_kind: str = ""
    answer: bytes = b""
    received: int = 0
    retry_after: str = ""
    broke: str = PENDING
    seconds: float = 0


Trace = list[Exchange]

_open: ContextVar[tuple[Trace, ...]] = ContextVar("traces", default=())


@contextmanager
def tracing(*traces: Trace) -> Iterator[None]:
    """Record the calls made inside in these traces, and in no others."""
    token = _open.set(traces)
    try:
        yield
    finally:
        _open.reset(token)


def current() -> tuple[Trace, ...]:
    """Return the traces that are open here. For channels that make one call for the sends of several."""
    return _open.get()


def listener() -> aiohttp.TraceConfig:
    """Return the trace configuration that the shared HTTP session has to be given."""
    config: aiohttp.TraceConfig = aiohttp.TraceConfig()
    config.on_request_start.append(_on_request_start)
    config.on_request_headers_sent.append(_on_headers_sent)
    config.on_request_chunk_sent.append(_on_request_chunk)
    config.on_response_chunk_received.append(_on_response_chunk)
    config.on_request_end.append(_on_response_start)
    config.on_request_exception.append(_on_exception)
    return config


async def _on_request_start(
    _: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
) -> None:
    context.exchange = None
    if traces := _open.get():
        url = f"{params.url.with_query(None)}?{HIDDEN}" if params.url.raw_query_string else str(params.url)
        context.exchange, context.clock = Exchange(params.method, url, time.time()), time.perf_counter()
        for trace in traces:
            trace.append(context.exchange)


async def _on_headers_sent(_: Any, context: SimpleNamespace, params: aiohttp.TraceRequestHeadersSentParams) -> None:
    if exchange := context.exchange:
        exchange.kind = params.headers.get("Content-Type", "")


async def _on_request_chunk(_: Any, context: SimpleNamespace, params: aiohttp.TraceRequestChunkSentParams) -> None:
    if exchange := context.exchange:
        exchange.sent += len(params.chunk)
        exchange.request += params.chunk[: MOST - len(exchange.request)]


async def _on_response_start(_: Any, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
    """Record the head of the response. Its body arrives whole, later, or never."""
    if exchange := context.exchange:
        exchange.status, exchange.answer_kind = params.response.status, params.response.content_type
        exchange.retry_after = params.response.headers.get("Retry-After", "")
        exchange.broke, exchange.seconds = TORN, time.perf_counter() - context.clock


async def _on_response_chunk(
    _: Any, context: SimpleNamespace, params: aiohttp.TraceResponseChunkReceivedParams
) -> None:
    if exchange := context.exchange:
        exchange.received, exchange.answer = len(params.chunk), params.chunk[:MOST]
        exchange.broke, exchange.seconds = "", time.perf_counter() - context.clock


async def _on_exception(_: Any, context: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams) -> None:
    if exchange := context.exchange:
        exchange.broke, exchange.seconds = type(params.exception).__name__, time.perf_counter() - context.clock

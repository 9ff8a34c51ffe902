"""What was said on the wire to a provider while a message was being sent, and what came back.

Listened to at the HTTP session that all channels share, so that no channel has to do anything for it, aiogram's calls
included. Who sends opens a trace; where nobody has, nothing is kept.
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
"""Bytes of a request's or an answer's body that are kept."""

HIDDEN = "•••"
"""What stands where something is not told. Queries are not: those of upload addresses are their proof."""

PENDING, TORN = "no answer yet", "the answer broke off"


@dataclass
class Exchange:
    """One call and its answer, as they went over the wire. `broke`: how the wire did; began: Unix seconds.

    kind, answer_kind: the Content-Type of each body; sent, received: its whole size in bytes. What never left is not
    here, either: a provider that could not be reached has been sent no body. `retry_after` as the provider wrote it.
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
    """Calls made here belong to these traces, and to no others."""
    token = _open.set(traces)
    try:
        yield
    finally:
        _open.reset(token)


def current() -> tuple[Trace, ...]:
    """The traces that are open here: for channels that make one call for the sends of several."""
    return _open.get()


def listener() -> aiohttp.TraceConfig:
    """To be given to the session."""
    config: aiohttp.TraceConfig = aiohttp.TraceConfig()
    config.on_request_start.append(_began)
    config.on_request_headers_sent.append(_left)
    config.on_request_chunk_sent.append(_said)
    config.on_response_chunk_received.append(_heard)
    config.on_request_end.append(_ended)
    config.on_request_exception.append(_broke)
    return config


async def _began(_: aiohttp.ClientSession, context: SimpleNamespace, told: aiohttp.TraceRequestStartParams) -> None:
    context.exchange = None
    if traces := _open.get():
        url = f"{told.url.with_query(None)}?{HIDDEN}" if told.url.raw_query_string else str(told.url)
        context.exchange, context.clock = Exchange(told.method, url, time.time()), time.perf_counter()
        for trace in traces:
            trace.append(context.exchange)


async def _left(_: Any, context: SimpleNamespace, told: aiohttp.TraceRequestHeadersSentParams) -> None:
    if exchange := context.exchange:
        exchange.kind = told.headers.get("Content-Type", "")


async def _said(_: Any, context: SimpleNamespace, told: aiohttp.TraceRequestChunkSentParams) -> None:
    if exchange := context.exchange:
        exchange.sent += len(told.chunk)
        exchange.request += told.chunk[: MOST - len(exchange.request)]


async def _ended(_: Any, context: SimpleNamespace, told: aiohttp.TraceRequestEndParams) -> None:
    """The head of the answer is there. Its body is heard of whole, later, or never."""
    if exchange := context.exchange:
        exchange.status, exchange.answer_kind = told.response.status, told.response.content_type
        exchange.retry_after = told.response.headers.get("Retry-After", "")
        exchange.broke, exchange.seconds = TORN, time.perf_counter() - context.clock


async def _heard(_: Any, context: SimpleNamespace, told: aiohttp.TraceResponseChunkReceivedParams) -> None:
    if exchange := context.exchange:
        exchange.received, exchange.answer = len(told.chunk), told.chunk[:MOST]
        exchange.broke, exchange.seconds = "", time.perf_counter() - context.clock


async def _broke(_: Any, context: SimpleNamespace, told: aiohttp.TraceRequestExceptionParams) -> None:
    if exchange := context.exchange:
        exchange.broke, exchange.seconds = type(told.exception).__name__, time.perf_counter() - context.clock

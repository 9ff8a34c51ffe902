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


@dataclass
class Exchange:
    """One call and its answer, as they went over the wire. `broke`: how the wire did; began: Unix seconds.

    Of a body that is no text the size alone is kept. `retry_after` as the provider wrote it.
    """

    method: str
    url: str
    began: float
    kind: str
    request: bytearray = field(default_factory=bytearray)
    sent: int = 0
    status: int = 0
    answer_kind: str = ""
    answer: bytearray = field(default_factory=bytearray)
    received: int = 0
    retry_after: str = ""
    broke: str = ""
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
    config.on_request_chunk_sent.append(_said)
    config.on_response_chunk_received.append(_heard)
    config.on_request_end.append(_ended)
    config.on_request_exception.append(_broke)
    return config


async def _began(_: aiohttp.ClientSession, context: SimpleNamespace, told: aiohttp.TraceRequestStartParams) -> None:
    context.exchange = None
    if traces := _open.get():
        kind = told.headers.get("Content-Type", "")
        url = f"{told.url.with_query(None)}?..." if told.url.raw_query_string else str(told.url)
        context.exchange, context.clock = Exchange(told.method, url, time.time(), kind), time.perf_counter()
        for trace in traces:
            trace.append(context.exchange)


async def _said(_: Any, context: SimpleNamespace, told: aiohttp.TraceRequestChunkSentParams) -> None:
    if exchange := context.exchange:
        exchange.sent += len(told.chunk)
        exchange.request += told.chunk[: MOST - len(exchange.request)]


async def _heard(_: Any, context: SimpleNamespace, told: aiohttp.TraceResponseChunkReceivedParams) -> None:
    if exchange := context.exchange:
        exchange.received += len(told.chunk)
        exchange.answer += told.chunk[: MOST - len(exchange.answer)]


async def _ended(_: Any, context: SimpleNamespace, told: aiohttp.TraceRequestEndParams) -> None:
    if exchange := context.exchange:
        exchange.status, exchange.answer_kind = told.response.status, told.response.content_type
        exchange.kind = told.response.request_info.headers.get("Content-Type", exchange.kind)
        exchange.retry_after = told.response.headers.get("Retry-After", "")
        exchange.seconds = time.perf_counter() - context.clock


async def _broke(_: Any, context: SimpleNamespace, told: aiohttp.TraceRequestExceptionParams) -> None:
    if exchange := context.exchange:
        exchange.broke, exchange.seconds = type(told.exception).__name__, time.perf_counter() - context.clock

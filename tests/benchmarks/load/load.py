"""Sends as many webhooks as a server takes, at little cost: with prepared requests over raw sockets."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from tests.benchmarks.load.posting import length_of
from tests.benchmarks.load.sending import Lost

CONNECTIONS = 64
HEAD_END = b"\r\n\r\n"


def raw_request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a call's bytes as they go over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def per_second(port: int, requests: Sequence[bytes]) -> float:
    """Send these over persistent connections. Returns how many were answered 200 per second. Raises Lost."""
    pending, ends = iter(requests), list[asyncio.Future[None]]()
    loop, begin = asyncio.get_running_loop(), time.perf_counter()
    for _ in range(CONNECTIONS):
        ends.append(loop.create_future())
        await loop.create_connection(lambda end=ends[-1]: Connection(pending, end), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    return len(requests) / (time.perf_counter() - begin)


class Connection(asyncio.Protocol):
    """A connection that sends a request, reads the answer, and sends the next."""

    def __init__(self, requests: Iterator[bytes], end: "asyncio.Future[None]") -> None:
        self._requests = requests
        self._end = end
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._send_next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(HEAD_END)
        if not separator or len(body) < length_of(head + separator):
            return
        if not self._received.startswith(b"HTTP/1.1 200"):
            self._stop(Lost(f"a webhook was answered {self._received[:40]!r}"))
            return
        self._received = b""
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(Lost(f"the server hung up: {exc}"))

    def _send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._stop(None)
            self._wire.close()
        else:
            self._wire.write(request)

    def _stop(self, problem: Exception | None) -> None:
        if not self._end.done():
            self._end.set_exception(problem) if problem else self._end.set_result(None)

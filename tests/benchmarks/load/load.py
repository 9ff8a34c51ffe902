"""As many webhooks as a server takes, from a source that costs little: requests made beforehand, raw sockets."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from tests.benchmarks.load.posting import length_of
from tests.benchmarks.load.sending import Lost

CONNECTIONS = 64
HEAD_END = b"\r\n\r\n"


def request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A call as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def per_second(port: int, requests: Sequence[bytes]) -> float:
    """How many of these are answered 200 in a second, over some connections that stay open. Raises Lost."""
    waiting, ends = iter(requests), list[asyncio.Future[None]]()
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    for _ in range(CONNECTIONS):
        ends.append(loop.create_future())
        await loop.create_connection(lambda end=ends[-1]: Caller(waiting, end), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    return len(requests) / (time.perf_counter() - began)


class Caller(asyncio.Protocol):
    """One connection: asks, hears the answer, asks the next."""

    def __init__(self, waiting: Iterator[bytes], end: "asyncio.Future[None]") -> None:
        self._waiting = waiting
        self._end = end
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, found, rest = self._heard.partition(HEAD_END)
        if not found or len(rest) < length_of(head + found):
            return
        if not self._heard.startswith(b"HTTP/1.1 200"):
            self._stop(Lost(f"a webhook was answered {self._heard[:40]!r}"))
            return
        self._heard = b""
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(Lost(f"the server hung up: {exc}"))

    def _ask(self) -> None:
        asked = next(self._waiting, None)
        if asked is None:
            self._stop(None)
            self._wire.close()
        else:
            self._wire.write(asked)

    def _stop(self, problem: Exception | None) -> None:
        if not self._end.done():
            self._end.set_exception(problem) if problem else self._end.set_result(None)

"""A caller in a thread of its own, with an HTTP client that is not the gateway's: it can send what no client would."""

import asyncio
import http.client
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

PATIENCE = 240.0
"""Seconds that a stranger waits for an answer."""


@dataclass(frozen=True)
class Reply:
    """What came back: the status, the headers (their names in lower case) and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Stranger:
    """A caller of the gateway at `url`; `headers` go with each of its requests."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, target: str, body: bytes | Iterable[bytes] = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a request; a body that is no bytes goes in chunks. `target` goes out as it is."""
        return await asyncio.to_thread(self._ask, method, target, body, {**self.headers, **(headers or {})})

    async def ask_raw(self, raw: bytes) -> bytes:
        """Send these bytes, in which the gateway is asked to close the connection. Returns what it answered."""
        return await asyncio.to_thread(self._ask_raw, raw)

    def _ask(self, method: str, target: str, body: bytes | Iterable[bytes], headers: Mapping[str, str]) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        try:
            chunked = not isinstance(body, bytes)
            fields = {**headers, **({"Transfer-Encoding": "chunked"} if chunked else {})}
            with suppress(BrokenPipeError, ConnectionResetError):  # the gateway has answered before all was sent
                connection.request(method, target, body or None, fields, encode_chunked=chunked)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read())
        finally:
            connection.close()

    def _ask_raw(self, raw: bytes) -> bytes:
        parts = urlsplit(self.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as connection:
            connection.sendall(raw)
            return b"".join(iter(partial(connection.recv, 65_536), b""))

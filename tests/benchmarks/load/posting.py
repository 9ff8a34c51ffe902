"""Webhooks sent over connections that stay open, at little cost: the source must not be what is measured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from bots.whatsapp.inbound.webhook import sign
from gateway.domain.channel.secret import Secret

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Poster:
    """Posts signed bodies to one URL over a fixed number of connections; who finds none free waits for one."""

    def __init__(self, url: str, secret: Secret) -> None:
        self._parts = urlsplit(url)
        self._secret = secret
        self._free: asyncio.Queue[Line | None] = asyncio.Queue()

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, secret: Secret, connections: int = 32) -> AsyncIterator["Poster"]:
        poster = cls(url, secret)
        for _ in range(connections):
            poster._free.put_nowait(None)
        try:
            yield poster
        finally:
            while not poster._free.empty():
                if line := poster._free.get_nowait():
                    line[1].close()

    async def post(self, body: bytes) -> int:
        """The status that it was answered. Raises OSError or EOFError where the wire breaks."""
        line = await self._free.get()
        try:
            line = line or await asyncio.open_connection(self._parts.hostname, self._parts.port)
            line[1].write(self._head(body) + body)
            status = await _status(line[0])
        except BaseException:
            if line:
                line[1].close()
            self._free.put_nowait(None)
            raise
        self._free.put_nowait(line)
        return status

    async def insist(self, body: bytes) -> None:
        """Deliver it again until it is taken, as a provider does."""
        while True:
            with suppress(OSError, EOFError):
                if await self.post(body) < 300:
                    return
            await asyncio.sleep(0.2)

    def _head(self, body: bytes) -> bytes:
        lines = [
            f"POST {self._parts.path} HTTP/1.1",
            f"Host: {self._parts.netloc}",
            "Content-Type: application/json",
            f"X-Hub-Signature-256: {sign(body, self._secret)}",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode()


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(length_of(head))
    return int(head[9:12])


def length_of(head: bytes) -> int:
    """The Content-Length of a request or an answer; 0 where there is none."""
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if rest else 0

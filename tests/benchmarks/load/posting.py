"""Sends webhooks over persistent connections at little cost, so that the source is not what is measured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from bots.whatsapp.inbound.webhook import sign
from gateway.domain.channel.secret import Secret

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Poster:
    """Posts signed bodies to one URL over a fixed number of connections; a call without a free one waits."""

    def __init__(self, url: str, secret: Secret) -> None:
        self._parts = urlsplit(url)
        self._secret = secret
        self._free: asyncio.Queue[Connection | None] = asyncio.Queue()

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
                if connection := poster._free.get_nowait():
                    connection[1].close()

    async def post(self, body: bytes) -> int:
        """Post the body. Returns the answer's status. Raises OSError or EOFError if the connection breaks."""
        connection = await self._free.get()
        try:
            connection = connection or await asyncio.open_connection(self._parts.hostname, self._parts.port)
            connection[1].write(self._head(body) + body)
            status = await _status(connection[0])
        except BaseException:
            if connection:
                connection[1].close()
            self._free.put_nowait(None)
            raise
        self._free.put_nowait(connection)
        return status

    async def deliver(self, body: bytes) -> None:
        """Post the body until it is accepted, as a provider does."""
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
    """Return the Content-Length of a request or an answer, 0 if there is none."""
    _, _, after = head.lower().partition(b"content-length:")
    return int(after.partition(b"\r\n")[0]) if after else 0

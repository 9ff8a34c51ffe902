"""A TCP relay, used as load balancer, as connection that can be cut, and as connection that breaks at random."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from storage.engine.embedded import free_port

CHUNK = 1 << 16


class Relay:
    """Connects each client to one of `backends` (ports), in turn, skipping those that do not listen.

    torn: the chance that a connection breaks at the moment when something comes back over it. lag: the most seconds
    that something takes to come back. While traffic is swallowed, everything is read and nothing passed on, as by a
    firewall that drops packets.
    """

    def __init__(self, *backends: int, torn: float = 0, lag: float = 0, seed: int = 0) -> None:
        self.port = free_port()
        self.backends = list(backends)
        self.torn = torn
        self.lag = lag
        self.tears = 0
        self._hole = False
        self._random = random.Random(seed)
        self._turn = count()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Relay"]:
        await self._listen()
        try:
            yield self
        finally:
            self.cut()

    def cut(self) -> None:
        """Refuse connections from now on, and break the open ones."""
        if self._server:
            self._server.close()
        self._server = None
        self._break()

    def swallow(self) -> None:
        """Let nothing through from now on, without closing any connection."""
        self._hole = True

    async def mend(self) -> None:
        """Let everything through again. What was swallowed is lost, and its connections break."""
        if self._hole:
            self._hole = False
            self._break()
        if self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)

    def _break(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self._hole:
                await self._pump(reader, writer)
            elif backend := await self._connect():
                await self._pass_both_ways(reader, writer, *backend)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for turn in range(len(self.backends)):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self.backends[(first + turn) % len(self.backends)])
        return None

    async def _pass_both_ways(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        backend_reader: asyncio.StreamReader,
        backend_writer: asyncio.StreamWriter,
    ) -> None:
        """Pass data both ways until either side hangs up."""
        pumps = [
            asyncio.create_task(pump)
            for pump in (self._pump(reader, backend_writer), self._pump(backend_reader, writer, is_answer=True))
        ]
        self._open.add(backend_writer)
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(backend_writer)
            backend_writer.close()
            for pump in pumps:
                pump.cancel()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if is_answer and await self._tears():
                    writer.transport.abort()
                    return
                if not self._hole:
                    writer.write(chunk)
                    await writer.drain()

    async def _tears(self) -> bool:
        """Wait for the lag. Returns whether the connection breaks then."""
        if self.lag:
            await asyncio.sleep(self._random.uniform(0, self.lag))
        is_torn = self.torn > 0 and self._random.random() < self.torn
        self.tears += is_torn
        return is_torn

"""A TCP relay: a load balancer before the webs, a wire to the database that can be cut, a wire that tears."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count

from storage.engine.embedded import free_port

CHUNK = 1 << 16


class Relay:
    """Passes each connection on to one of `backends` (ports), in turn, passing over those that do not listen.

    torn: the chance that a connection breaks at the moment when something comes back over it. lag: the most seconds
    that something takes to come back.
    hole: everything is taken and nothing passed on, as by a firewall that drops what it sees.
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
        """From now on connections are refused, and those that are open break."""
        if self._server:
            self._server.close()
        self._server = None
        self._break()

    def swallow(self) -> None:
        """From now on nothing gets through, and nobody is told."""
        self._hole = True

    async def mend(self) -> None:
        """All is well again. What was swallowed is lost: its connections break."""
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
            elif there := await self._reached():
                await self._both(reader, writer, *there)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _reached(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turn)
        for turn in range(len(self.backends)):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", self.backends[(first + turn) % len(self.backends)])
        return None

    async def _both(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamReader,
        there: asyncio.StreamWriter,
    ) -> None:
        """Until either side hangs up."""
        all_channels = [
            asyncio.create_task(channel) for channel in (self._pump(reader, there), self._pump(back, writer, back=True))
        ]
        self._open.add(there)
        try:
            await asyncio.wait(all_channels, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(there)
            there.close()
            for channel in all_channels:
                channel.cancel()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool = False) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if back and await self._tears():
                    writer.transport.abort()
                    return
                if not self._hole:
                    writer.write(chunk)
                    await writer.drain()

    async def _tears(self) -> bool:
        """Does the connection break over what comes back, once it has taken its time?"""
        if self.lag:
            await asyncio.sleep(self._random.uniform(0, self.lag))
        torn = self.torn > 0 and self._random.random() < self.torn
        self.tears += torn
        return torn

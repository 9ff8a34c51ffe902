"""A stand-in for WhatsApp that costs little: `python -m tests.benchmarks.stage.meta --help`.

The simulator that the tests use checks everything, and so costs more than the gateway that is to be measured. This one
knows the wire alone: it takes a message, answers after a while as the Cloud API does (Messages: Sync response), keeps a
book, and reports on the message if it is told to (Webhooks: status messages).
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import click
import msgspec
import uvloop

from bots.whatsapp.simulator.webhooks import Identity, Json, report
from tests.benchmarks.load.posting import Poster, length_of
from tests.benchmarks.stage.account import SECRET, webhook

GATHER = 0.02
"""Seconds that reports are gathered for where many are to go in one call."""


class Orders(msgspec.Struct, frozen=True):
    """What is to be reported of each message, and how many reports go in one call."""

    statuses: list[str] = []
    batch: int = 1


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A message as it arrived: our own key of it, to whom, and the machine's monotonic seconds."""

    key: str
    to: str
    at: float


class SendRequest(msgspec.Struct, frozen=True):
    """As much of a call as is looked at. `status` is there where a message is only to be shown as read."""

    biz_opaque_callback_data: str = ""
    to: str = ""
    status: str = ""


class Desk:
    """The book, and the reports that have to go."""

    def __init__(self, poster: Poster) -> None:
        self.book: list[Entry] = []
        self.orders = Orders()
        self._poster = poster
        self._due: list[Json] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, orders: Orders) -> None:
        """A new book."""
        self.book, self.orders = [], orders

    def take(self, asked: SendRequest) -> Json:
        """The answer to a call."""
        if asked.status:
            return {"success": True}
        self.book.append(Entry(asked.biz_opaque_callback_data, asked.to, time.monotonic()))
        wamid = f"wamid.{asked.biz_opaque_callback_data}"
        contacts = [{"input": asked.to, "wa_id": asked.to}]
        return {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]}

    def report(self, asked: SendRequest) -> None:
        """Tell what became of a message whose sender has had the answer."""
        if asked.status:
            return
        person, key = Identity("", asked.to, ""), asked.biz_opaque_callback_data
        for status in self.orders.statuses:
            self._due += report(person, f"wamid.{key}", datetime.now(UTC), status, key)["statuses"]
        if self.orders.batch == 1:
            self._flush()
        elif len(self._due) <= len(self.orders.statuses):
            asyncio.get_running_loop().call_later(GATHER, self._flush)

    def _flush(self) -> None:
        due, self._due, size = self._due, [], self.orders.batch
        for start in range(0, len(due), size):
            body = webhook({"statuses": due[start : start + size]})
            task = asyncio.create_task(self._poster.insist(body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class Line(asyncio.Protocol):
    """One connection of a caller, which waits for each answer before it asks again."""

    def __init__(self, desk: Desk, delay: float) -> None:
        self._desk, self._delay, self._heard = desk, delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no children of asyncio's

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, found, rest = self._heard.partition(b"\r\n\r\n")
        if not found or len(rest) < length_of(head + b"\r\n"):
            return
        self._heard = b""
        method, path, _ = head.split(b"\r\n", 1)[0].split(b" ")
        if path.endswith(b"/messages"):
            self._message(msgspec.json.decode(rest, type=SendRequest))
        elif method == b"PUT":
            self._desk.begin(msgspec.json.decode(rest, type=Orders))
            self._answer({"success": True})
        else:
            self._answer(len(self._desk.book) if path == b"/count" else self._desk.book)

    def _message(self, asked: SendRequest) -> None:
        asyncio.get_running_loop().call_later(self._delay, self._done, asked, self._desk.take(asked))

    def _done(self, asked: SendRequest, answer: Json) -> None:
        self._answer(answer)
        self._desk.report(asked)

    def _answer(self, answer: Json | Sequence[Entry] | int) -> None:
        if not self._transport.is_closing():
            body = msgspec.json.encode(answer)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


async def serve(port: int, webhooks: str, delay: float) -> None:
    async with Poster.opened(webhooks, SECRET, connections=64) as poster:
        desk = Desk(poster)
        server = await asyncio.get_running_loop().create_server(
            lambda: Line(desk, delay), "127.0.0.1", port, backlog=1024
        )
        await server.serve_forever()


@click.command()
@click.option("--port", type=int, required=True, help="Port to listen on.")
@click.option("--webhooks", required=True, help="The gateway's URL for this account.")
@click.option("--delay", default=0.2, show_default=True, help="Seconds until a call is answered.")
def main(port: int, webhooks: str, delay: float) -> None:
    """Stand in for WhatsApp. PUT / begins a new book, GET /book tells it, GET /count how long it is."""
    uvloop.run(serve(port, webhooks, delay))


if __name__ == "__main__":
    main()

"""A cheap stand-in for WhatsApp: see `python -m tests.benchmarks.setup.meta --help`.

The simulator that the tests use checks everything, and so costs more than the measured gateway. This stand-in knows
the protocol alone: it accepts a message, answers after a delay as the Cloud API does (Messages: Sync response), keeps
a book, and reports on the message if the settings say so (Webhooks: status messages).
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
from tests.benchmarks.setup.account import SECRET, webhook

GATHER = 0.02
"""Seconds for which reports are gathered if many go in one call."""


class ReportSettings(msgspec.Struct, frozen=True):
    """The statuses to report of each message, and how many reports go in one call."""

    statuses: list[str] = []
    batch: int = 1


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A message as it arrived: our key, the recipient, and the machine's monotonic seconds."""

    key: str
    to: str
    at: float


class SendRequest(msgspec.Struct, frozen=True):
    """The fields of a call that count. `status` is set if a message is only to be marked as read."""

    biz_opaque_callback_data: str = ""
    to: str = ""
    status: str = ""


class MessageBook:
    """The accepted messages, and the reports that are due."""

    def __init__(self, poster: Poster) -> None:
        self.entries: list[Entry] = []
        self.settings = ReportSettings()
        self._poster = poster
        self._due: list[Json] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, settings: ReportSettings) -> None:
        """Begin a new book with these settings of reports."""
        self.entries, self.settings = [], settings

    def accept(self, request: SendRequest) -> Json:
        """Note the message. Returns the answer to the call."""
        if request.status:
            return {"success": True}
        self.entries.append(Entry(request.biz_opaque_callback_data, request.to, time.monotonic()))
        wamid = f"wamid.{request.biz_opaque_callback_data}"
        contacts = [{"input": request.to, "wa_id": request.to}]
        return {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]}

    def report(self, request: SendRequest) -> None:
        """Report on a message whose sender has got the answer."""
        if request.status:
            return
        person, key = Identity("", request.to, ""), request.biz_opaque_callback_data
        for status in self.settings.statuses:
            self._due += report(person, f"wamid.{key}", datetime.now(UTC), status, key)["statuses"]
        if self.settings.batch == 1:
            self._flush()
        elif len(self._due) <= len(self.settings.statuses):
            asyncio.get_running_loop().call_later(GATHER, self._flush)

    def _flush(self) -> None:
        due, self._due, size = self._due, [], self.settings.batch
        for start in range(0, len(due), size):
            body = webhook({"statuses": due[start : start + size]})
            task = asyncio.create_task(self._poster.deliver(body))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class Connection(asyncio.Protocol):
    """A caller's connection, which waits for each answer before the next request."""

    def __init__(self, book: MessageBook, delay: float) -> None:
        self._book, self._delay, self._received = book, delay, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no children of asyncio's

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < length_of(head + b"\r\n"):
            return
        self._received = b""
        method, path, _ = head.split(b"\r\n", 1)[0].split(b" ")
        if path.endswith(b"/messages"):
            self._message(msgspec.json.decode(body, type=SendRequest))
        elif method == b"PUT":
            self._book.begin(msgspec.json.decode(body, type=ReportSettings))
            self._answer({"success": True})
        else:
            self._answer(len(self._book.entries) if path == b"/count" else self._book.entries)

    def _message(self, request: SendRequest) -> None:
        asyncio.get_running_loop().call_later(self._delay, self._finish, request, self._book.accept(request))

    def _finish(self, request: SendRequest, answer: Json) -> None:
        self._answer(answer)
        self._book.report(request)

    def _answer(self, answer: Json | Sequence[Entry] | int) -> None:
        if not self._transport.is_closing():
            body = msgspec.json.encode(answer)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


async def serve(port: int, webhooks: str, delay: float) -> None:
    async with Poster.opened(webhooks, SECRET, connections=64) as poster:
        book = MessageBook(poster)
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(book, delay), "127.0.0.1", port, backlog=1024
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

"""A server with files on it, for messages to point at."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from quart import Quart, Response

from tests.support.http.serving import served

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100


@dataclass
class FileServer:
    """A server with files on it. `fetch_counts`: how often each was fetched, by name; `gate` lets them out."""

    url: str = ""
    fetch_counts: Counter[str] = field(default_factory=Counter)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    files: dict[str, tuple[bytes, str]] = field(
        default_factory=lambda: {
            "a.png": (PNG, "image/png"),
            "b.png": (PNG, "image/png"),
            "text.png": (b"not a picture", "image/png"),
            "invoice.pdf": (b"%PDF-1.7", "application/pdf"),
            "call.ogg": (b"OggS voice", "audio/ogg"),
            "call.opus": (b"OggS voice", "application/octet-stream"),
            "broken.ogg": (b"voice", "audio/ogg"),
            "call.wav": (b"RIFF", "audio/wav"),
            "song.mp3": (b"ID3", "audio/mpeg"),
            "setup.exe": (b"MZ", "application/octet-stream"),
            "счёт.pdf": (b"%PDF-1.7", "application/pdf"),
        }
    )


@asynccontextmanager
async def opened_file_server() -> AsyncIterator[FileServer]:
    app, server = Quart("files"), FileServer()
    server.gate.set()

    @app.get("/<name>")
    async def send_file(name: str) -> Response:
        server.fetch_counts[name] += 1
        await server.gate.wait()
        if name not in server.files:
            return Response(status=404)
        body, kind = server.files[name]
        return Response(body, content_type=kind)

    async with served(app) as server.url:
        yield server

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
class Shelf:
    """A server with files on it. `fetched` counts, by name; `opens` lets them out."""

    url: str = ""
    fetched: Counter[str] = field(default_factory=Counter)
    opens: asyncio.Event = field(default_factory=asyncio.Event)
    files: dict[str, tuple[bytes, str]] = field(
        default_factory=lambda: {
            "a.png": (PNG, "image/png"),
            "b.png": (PNG, "image/png"),
            "text.png": (b"not a picture", "image/png"),
            "invoice.pdf": (b"%PDF-1.7", "application/pdf"),
            "setup.exe": (b"MZ", "application/octet-stream"),
            "счёт.pdf": (b"%PDF-1.7", "application/pdf"),
        }
    )


@asynccontextmanager
async def a_shelf() -> AsyncIterator[Shelf]:
    app, shelf = Quart("shelf"), Shelf()
    shelf.opens.set()

    @app.get("/<name>")
    async def give(name: str) -> Response:
        shelf.fetched[name] += 1
        await shelf.opens.wait()
        if name not in shelf.files:
            return Response(status=404)
        body, kind = shelf.files[name]
        return Response(body, content_type=kind)

    async with served(app) as shelf.url:
        yield shelf

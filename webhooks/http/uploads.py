"""Takes in a file that a client uploads, as the whole body or as a form's only file, without holding it in memory."""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, Any

from quart import Request, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestTimeout
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from gateway.domain.api.request import RequestError
from webhooks.http.context import too_large

LARGEST = 32 * 1024 * 1024
"""The largest file, in bytes."""

PATHS = re.compile(r"/api/v1/media|(/api/v1/jobs|/ui/jobs)/.*/rows|/ui/conversations/.*/(reply|template)", re.DOTALL)
"""The paths of routes that take files."""

FORM = 64 * 1024
"""Bytes that a form may have around its file. What the decoder has not told apart yet is twice that, at most."""

PARTS = 20
"""Parts of a form, at most."""

TIMEOUT = 60
"""Seconds in which more of a body has to arrive."""

NAME = 100
"""Characters of a file's name that are shown, at most."""


class UploadRequest(Request):
    """A request, which may be larger than others if it is for a route that takes files. See `create_app`."""

    def __init__(self, method: str, scheme: str, path: str, *details: Any, **options: Any) -> None:
        takes_files = PATHS.fullmatch(path) is not None
        if takes_files:
            options["max_content_length"] = LARGEST + FORM
        super().__init__(method, scheme, path, *details, **options)
        if takes_files:  # what has arrived while the loop was busy comes to the form's reader in one piece
            self.max_content_length = LARGEST + FORM

    @property
    async def form(self) -> MultiDict[str, str]:
        """Return the fields of a form. Browsers write each line break of a text as CR LF (HTML, form submission)."""
        given = await super().form
        return MultiDict((name, text.replace("\r\n", "\n")) for name, text in given.items(multi=True))


@dataclass(frozen=True)
class Upload:
    """A file that was uploaded. name: as the client calls it. digest: the SHA-256 of its bytes, in hex."""

    name: str
    content: IO[bytes]
    digest: str


@asynccontextmanager
async def uploaded(limit: int = LARGEST) -> AsyncIterator[Upload]:
    """Take in the request's file. Raises RequestEntityTooLarge past `limit` bytes, RequestError without a file."""
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    with tempfile.TemporaryFile() as content:
        target = _Target(content, limit)
        if kind == "multipart/form-data":
            await _form(_Form(options.get("boundary", ""), target), limit + FORM)
        else:
            async for chunk in _body(limit):
                target.write(chunk)
        yield Upload(target.name, content, target.digest.hexdigest())


class _Target:
    """Where the file's bytes go."""

    def __init__(self, content: IO[bytes], limit: int) -> None:
        self.name, self.digest, self.size = "the file", hashlib.sha256(), 0
        self._content, self._limit = content, limit

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._limit:
            raise too_large(self._limit)
        self.digest.update(chunk)
        self._content.write(chunk)


async def _body(limit: int) -> AsyncIterator[bytes]:
    """Yield the body as it arrives. Raises RequestEntityTooLarge past `limit` bytes."""
    size, announced = 0, request.content_length or 0
    while chunk := await _chunk():
        size += len(chunk)
        if announced <= limit < size:  # it came in chunks, without its length
            raise too_large(limit)
        if announced <= limit:
            yield chunk
    if announced > limit:  # all of it was read, since a client that is still sending would not read the answer
        raise too_large(limit)


async def _chunk() -> bytes:
    """Return what has arrived; b"" at the end."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await anext(request.body, b"")
    except TimeoutError:
        raise RequestTimeout from None


async def _form(form: "_Form", limit: int) -> None:
    try:
        async for chunk in _body(limit):
            form.receive(chunk)
        form.end()
    except ValueError:
        raise RequestError("bad_file", "this is no form that can be read") from None
    if not form.files:
        raise RequestError("bad_file", "the form has no file: curl -F file=@people.csv")


class _Form:
    """A form, of which the only file is written to a target. Raises ValueError for what is no form."""

    def __init__(self, boundary: str, target: _Target) -> None:
        self.files, self._target, self._in_file, self._received = 0, target, False, 0
        if not boundary:
            raise RequestError("bad_file", "the form's Content-Type names no boundary")
        self._decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), 2 * FORM, max_parts=PARTS)

    def receive(self, chunk: bytes) -> None:
        """Take more of the body."""
        for start in range(0, len(chunk), FORM):
            piece = chunk[start : start + FORM]
            self._receive(piece)
            self._received += len(piece)
            self._check(len(self._decoder.buffer))

    def end(self) -> None:
        """Say that this was all of the body."""
        self._receive(None)
        self._check()

    def _check(self, unread: int = 0) -> None:
        """Raise RequestEntityTooLarge if too much is around the file. unread: bytes that may be the file's yet."""
        if self._received - self._target.size - unread > FORM:
            raise too_large(FORM, "The form around the file")

    def _receive(self, piece: bytes | None) -> None:
        self._decoder.receive_data(piece)
        while not isinstance(event := self._decoder.next_event(), NeedData | Epilogue):
            match event:
                case File():
                    self._begin(event.filename)
                case Field():
                    self._in_file = False
                case Data() if self._in_file:
                    self._target.write(event.data)

    def _begin(self, name: str) -> None:
        self.files, self._in_file = self.files + 1, True
        if self.files > 1:
            raise RequestError("bad_file", "send one file at a time")
        shown = "".join(character for character in name if character.isprintable())
        self._target.name = shown[:NAME] or self._target.name

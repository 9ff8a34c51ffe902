"""Takes in files that clients upload, to be sent by their id."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import IO

from msgspec.structs import replace

from gateway.domain.api.formats import iso
from gateway.domain.api.request import RequestError
from gateway.domain.api.response import UploadedFileView
from gateway.domain.model.files import StoredFile, id_once, new_id
from gateway.messages.media.kinds import HEAD, content_type_of, file_name, media_type
from gateway.runtime.runtime import Runtime
from storage import files

LARGEST = 16 * 1024 * 1024
"""Bytes of an uploaded file: of the largest recording or film that WhatsApp takes."""

PIECE = 256 * 1024
BEING_STORED = timedelta(hours=1)
"""How long storing a file may take; what is not there by then was given up, and is deleted."""


async def upload(runtime: Runtime, name: str, content: IO[bytes], once: str = "") -> UploadedFileView:
    """Store a file. Returns what it is, with its id. Raises RequestError for one that is empty.

    once: names an upload that may be repeated, and nobody else knows it: the same file under it is stored once.
    """
    content.seek(0)
    if not (head := content.read(HEAD)):
        raise RequestError("bad_file", "the file is empty")
    now, content_type = runtime.clock(), content_type_of(head, name)
    kind = media_type(content_type)
    file = StoredFile(new_id(), now + BEING_STORED, file_name(name, kind, content_type))
    if once:
        file = replace(file, id=id_once(once, await asyncio.to_thread(_digest, content)))
    if not await files.add(runtime.db, file):
        earlier = await files.get(runtime.db, file.id)
        if earlier and earlier.content_type:
            return _view(earlier)
        file = replace(file, id=new_id())  # the other is being stored, or was given up
        await files.add(runtime.db, file)
    content.seek(0)
    size = await files.write(runtime.db, file.id, _pieces(content))
    file = replace(file, content_type=content_type, size=size, until=now + runtime.settings.uploads_kept)
    await files.finish(runtime.db, file)
    return _view(file)


def _digest(content: IO[bytes]) -> bytes:
    content.seek(0)
    return hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type]  # a spooled file reads likewise


def _view(file: StoredFile) -> UploadedFileView:
    return UploadedFileView(
        id=file.id,
        type=media_type(file.content_type),
        name=file.name,
        content_type=file.content_type,
        size=file.size,
        expires_at=iso(file.until),
    )


async def _pieces(content: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := content.read(PIECE):
        yield piece

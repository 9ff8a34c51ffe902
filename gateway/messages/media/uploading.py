"""Takes in files that clients upload, to be sent by their id."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import IO

from msgspec.structs import replace

from gateway.domain.api.formats import iso
from gateway.domain.api.request import RequestError
from gateway.domain.api.response import UploadedFileView
from gateway.domain.model.files import StoredFile, new_id
from gateway.messages.media.kinds import HEAD, content_type_of, file_name, media_type
from gateway.runtime.runtime import Runtime
from storage import files

LARGEST = 16 * 1024 * 1024
"""Bytes of an uploaded file: of the largest recording or film that WhatsApp takes."""

PIECE = 256 * 1024
BEING_STORED = timedelta(hours=1)
"""How long storing a file may take; what is not there by then was given up, and is deleted."""


async def upload(runtime: Runtime, name: str, content: IO[bytes]) -> UploadedFileView:
    """Store a file. Returns what it is, with its id. Raises RequestError for one that is empty."""
    content.seek(0)
    if not (head := content.read(HEAD)):
        raise RequestError("bad_file", "the file is empty")
    content.seek(0)
    now, content_type = runtime.clock(), content_type_of(head, name)
    kind = media_type(content_type)
    file = StoredFile(new_id(), now + BEING_STORED, file_name(name, kind, content_type))
    await files.add(runtime.db, file)
    size = await files.write(runtime.db, file.id, _pieces(content))
    until = now + runtime.settings.uploads_kept
    await files.finish(runtime.db, replace(file, content_type=content_type, size=size, until=until))
    return UploadedFileView(
        id=file.id, type=kind, name=file.name, content_type=content_type, size=size, expires_at=iso(until)
    )


async def _pieces(content: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := content.read(PIECE):
        yield piece

"""Opens files: what a person sent, from us if we have kept it, else from the provider; and what a client uploaded."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from bots.wire.downloads import GONE
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.errors import Ambiguous, Refused, Unavailable
from gateway.domain.model.files import files_of, read_id
from gateway.domain.model.nouns import Media
from gateway.messages.media.kinds import HEAD, content_type_of, file_name
from gateway.runtime.runtime import Runtime
from storage import files
from storage.messages import chat_log

Pieces = AsyncGenerator[bytes, None]


@dataclass(frozen=True)
class OpenedFile:
    """A file whose bytes are about to come. size: in bytes, where it is known."""

    name: str
    content_type: str
    pieces: Pieces
    size: int | None = None


async def open_file(runtime: Runtime, key: str) -> OpenedFile | None:
    """Open the file with this id. Returns None if there is none.

    Raises SendError: Refused where it cannot be had any more, others where it may be had later.
    """
    stored = await files.get(runtime.db, key)
    if stored and stored.content_type and stored.until > runtime.clock():
        pieces = files.read(runtime.db, key)
        _, first = await _peek(pieces)
        return OpenedFile(stored.name, stored.content_type, _joined(first, pieces), stored.size)
    return await open_at_provider(runtime, key)


async def open_at_provider(runtime: Runtime, key: str) -> OpenedFile | None:
    """Open a person's file at its provider. Returns None if no line of the chat log has it. Raises SendError."""
    found = await _find(runtime, key)
    if found is None:
        return None
    channel, media = found
    try:
        pieces = await channel.open_file(media)
        head, first = await _peek(pieces)
    except Ambiguous as error:  # nothing was to be sent
        raise Unavailable(str(error)) from None
    content_type = content_type_of(head, media.name)
    return OpenedFile(file_name(media.name, media.type, content_type), content_type, _joined(first, pieces))


async def _find(runtime: Runtime, key: str) -> tuple[Channel, Media] | None:
    """Return the account that has the file, and the file as the provider told it. Raises Refused without an account."""
    place = read_id(key)
    line = await chat_log.get(runtime.db, place[0]) if place else None
    if place is None or line is None or line.content is None or line.notification:
        return None
    media = dict(enumerate(files_of(line.content))).get(place[1])
    if media is None:
        return None
    name, account, _ = line.session.split(":", 2)
    if channel := runtime.channel(name, account):
        return channel, media
    raise Refused(f"{GONE}: the account is not configured any more")


async def _peek(pieces: Pieces) -> tuple[bytes, list[bytes]]:
    """Return how a file begins, and its first pieces, which hold that."""
    first, size = list[bytes](), 0
    async for piece in pieces:
        first.append(piece)
        size += len(piece)
        if size >= HEAD:
            break
    return b"".join(first)[:HEAD], first


async def _joined(first: list[bytes], rest: Pieces) -> Pieces:
    try:
        for piece in first:
            yield piece
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()

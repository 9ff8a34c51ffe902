"""Keeps what people send, if the settings say so: each file is fetched from its provider soon after its message came.

It has a queue of its own, since a file may take longer than anybody who has written should wait for an answer.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace

from gateway.domain.channel.errors import Refused, SendError
from gateway.domain.model.files import StoredFile, files_of, id_of
from gateway.domain.model.nouns import Content
from gateway.messages.media.opening import open_at_provider
from gateway.runtime.loop import Item, Own
from gateway.runtime.runtime import Runtime
from storage import files
from storage.engine.database import DatabaseError

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Files that one process fetches at a time."""

PATIENCE = timedelta(minutes=10)
"""How long one file may take."""

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 600, 3600, 21_600))
"""Pauses before each further try; after the last one the file stays with its provider, as long as that has it."""

EVERY = timedelta(minutes=10)
BATCH = 100
"""How often files are deleted whose time is over, and how many are read at once."""


async def keep_later(runtime: Runtime, content: Content, line: str) -> None:
    """Note the files that a person sent in this line of the chat log, to be kept. May be repeated."""
    if runtime.settings.media_kept is None:
        return
    now = runtime.clock()
    for index, _ in enumerate(files_of(content)):
        await files.add(runtime.db, StoredFile(id_of(line, index), now + runtime.settings.media_kept, due_at=now))
        runtime.file_bell.set()


async def take(runtime: Runtime, room: int, own: Own, at_once: asyncio.Semaphore) -> Sequence[Item]:
    """Take files that have to be fetched."""
    now = runtime.clock()
    due = await runtime.files.claim(now, runtime.settings.lease, min(room, AT_ONCE), own())
    return [
        Item(
            file.id,
            file.id,
            file.lease or "",
            partial(_keep, runtime, file, at_once),
            partial(runtime.files.put_off, file, now),
        )
        for file in due
    ]


async def _keep(runtime: Runtime, file: StoredFile, at_once: asyncio.Semaphore) -> None:
    """Fetch a file and store it; if that fails, try again later, or leave it to its provider."""
    async with at_once:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                await _fetch(runtime, file)
        except Refused as error:
            await _give_up(runtime, file, str(error))
        except (SendError, TimeoutError) as error:
            await _try_again(runtime, file, str(error) or "it takes too long")


async def _fetch(runtime: Runtime, file: StoredFile) -> None:
    opened = await open_at_provider(runtime, file.id)
    if opened is None:
        raise Refused("its message is not remembered any more")
    size = await files.write(runtime.db, file.id, opened.pieces)
    await files.finish(runtime.db, replace(file, name=opened.name, content_type=opened.content_type, size=size))


async def _try_again(runtime: Runtime, file: StoredFile, reason: str) -> None:
    if file.tries >= len(PAUSES):
        await _give_up(runtime, file, reason)
    else:
        await runtime.files.put_off(file, runtime.clock() + PAUSES[file.tries], reason)


async def _give_up(runtime: Runtime, file: StoredFile, reason: str) -> None:
    log.warning("a person's file is not kept: %s", reason)
    await runtime.files.put_off(file, None, reason)


async def sweep_regularly(runtime: Runtime, stop: asyncio.Event) -> None:
    """Delete the files whose time is over, with their bytes, until `stop`."""
    while not stop.is_set():
        try:
            await sweep(runtime, runtime.clock())
        except DatabaseError as error:
            log.warning("the database does not answer: %s", error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY.total_seconds())


async def sweep(runtime: Runtime, now: datetime) -> None:
    """Delete all files whose time is over by now."""
    while some := await files.expired(runtime.db, now, BATCH):
        for file in some:
            await files.delete(runtime.db, file.id)

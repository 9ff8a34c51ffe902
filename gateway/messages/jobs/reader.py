"""The worker's side of files that were given to jobs: it reads them, whoever has begun to.

Any worker may take a file up again whose worker has died. What each try stores has a name of its own, and the job gets
the rows of one try: of the first that finds the job as it was, and its lease still its own.
"""

import asyncio
import dataclasses
import logging
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import IO
from uuid import uuid4

from msgspec.structs import replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.model.job import Job
from gateway.messages.jobs.contents import Contents, RowsFile, Watcher, WrongColumns
from gateway.messages.jobs.files.headings import Column, check_columns, meaning
from gateway.messages.jobs.uploads import add_rows, drop_unless_referred, has, variables
from gateway.runtime.loop import Item, Own
from gateway.runtime.runtime import Runtime
from storage import headings, jobs, pending_files
from storage.pending_files import PendingFile, PendingFiles

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Files that one process reads at a time."""

TRIES = 10
"""How often a file is tried whose worker dies over it."""

EVERY = 1.0
"""Seconds between two writes of how far a file was read."""


async def take(runtime: Runtime, room: int, own: Own, queue: PendingFiles) -> Sequence[Item]:
    """Take files that have to be read."""
    now, under_way = runtime.clock(), own()
    limit = min(room, AT_ONCE - len(under_way))
    due = await queue.claim(now, runtime.settings.lease, limit, under_way) if limit > 0 else []
    return [
        Item(
            file.id,
            file.id,
            file.lease or "",
            partial(_work, runtime, file),
            partial(pending_files.put_back, runtime.db, file, now),
        )
        for file in due
    ]


class Superseded(Exception):
    """The file is another worker's by now, or nobody's."""


class _Try(Watcher):
    """A try to read a file, which tells how far it is, and ends when the file is not its own any more."""

    def __init__(self, runtime: Runtime, file: PendingFile) -> None:
        self.file, self._runtime, self._told_at = file, runtime, asyncio.get_running_loop().time()

    async def see(self, contents: Contents) -> None:
        self.file = replace(self.file, found=contents.accepted + contents.refused)
        if (now := asyncio.get_running_loop().time()) >= self._told_at + EVERY:
            self._told_at = now
            await self.insist()

    async def insist(self) -> None:
        if not await pending_files.note(self._runtime.db, self.file, self._runtime.clock()):
            raise Superseded


async def _work(runtime: Runtime, file: PendingFile) -> None:
    """Read a file, let its job have the rows, and let the file go; or note why that cannot be."""
    job, file = await jobs.get(runtime.db, file.id), replace(file, found=0, tries=(*file.tries, uuid4().hex))
    trial = _Try(runtime, file)
    try:
        await trial.insist()
        if job is None or job.state != "draft" or has(job, file.digest):
            await _let_go(runtime, file)
        elif len(file.tries) > TRIES:
            await _refuse(runtime, file, RequestError("bad_file", f"{file.name}: {BROKEN}"))
        else:
            await _read(runtime, job, trial)
    except Superseded:
        log.info("a file of rows is not ours to be read any more")


async def _let_go(runtime: Runtime, file: PendingFile) -> None:
    """Delete a file, and what other tries have stored, once the job has the rows of one and can get no others."""
    job = await jobs.get(runtime.db, file.id)
    if job and has(job, file.digest):
        for name in file.tries:
            await drop_unless_referred(runtime, job, name)
    await pending_files.drop(runtime.db, file)


BROKEN = "whoever reads it breaks off: save it anew, as .csv or .xlsx"


async def _read(runtime: Runtime, job: Job, trial: _Try) -> None:
    file = trial.file
    try:
        async with _content(runtime, file) as content:
            await _add(runtime, job, RowsFile(file.name, content, file.digest, file.given_by, dict(file.names)), trial)
    except RequestError as error:
        await _refuse(runtime, file, error)
    except Conflict:  # it is no draft any more
        await _let_go(runtime, file)
    else:
        own = {heading: name for heading, name in file.names if name and name != meaning(heading)}
        await headings.remember(runtime.db, own, runtime.clock())
        await _let_go(runtime, file)


@asynccontextmanager
async def _content(runtime: Runtime, file: PendingFile) -> AsyncIterator[IO[bytes]]:
    """Yield a file of the system's with the bytes: another process reads it."""
    with tempfile.TemporaryFile() as content:
        async for piece in pending_files.content(runtime.db, file):
            content.write(piece)
        yield content


async def _add(runtime: Runtime, job: Job, rows: RowsFile, trial: _Try) -> None:
    """Add the rows of a file. If its columns do not fit, they are taken for what they were taken for by hand before."""
    name = trial.file.tries[-1]
    try:
        await add_rows(runtime, job, rows, trial, name)
    except WrongColumns as error:
        known = {**error.headings, **await headings.recall(runtime.db, list(error.headings))}
        if rows.names or known == error.headings:
            raise
        try:
            check_columns([Column(heading, meant) for heading, meant in known.items()], variables(job))
        except RequestError as still:
            raise WrongColumns(still, known) from None
        await add_rows(runtime, job, dataclasses.replace(rows, names=known), trial, name)


async def _refuse(runtime: Runtime, file: PendingFile, error: RequestError) -> None:
    """Note why a file cannot be read."""
    columns = tuple(error.headings.items()) if isinstance(error, WrongColumns) else ()
    refused = replace(file, wrong=error.message, field=error.field or "", headings=columns, tries=(), due_at=None)
    await pending_files.note(runtime.db, refused, runtime.clock())

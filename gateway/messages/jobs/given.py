"""Files that are given to jobs and read by a worker, since nobody who sends a file should wait until all is read."""

import asyncio
from collections.abc import Mapping
from typing import IO
from uuid import uuid4

from msgspec.structs import replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.model.job import Job
from gateway.messages.jobs.contents import Contents, RowsFile
from gateway.messages.jobs.files.headings import Column, check_columns
from gateway.messages.jobs.jobs import reload
from gateway.messages.jobs.uploads import check, has, variables
from gateway.runtime.runtime import Runtime
from storage import jobs, pending_files
from storage.pending_files import PIECE, PendingFile


async def give(runtime: Runtime, job: Job, file: RowsFile) -> Job:
    """Give a draft a file, to be read soon; the same file again changes nothing. Raises Conflict, RequestError."""
    check(job, Contents())
    if has(job, file.digest):
        return job
    before, now = await pending_files.get(runtime.db, job.id), runtime.clock()
    if before and before.due_at:
        raise Conflict(f"{before.name} is being read: wait until its rows are there, or stop it.")
    if before:
        await pending_files.drop(runtime.db, before)
    pieces = await asyncio.to_thread(_pieces, file.content)
    names = tuple(file.names.items())
    new = PendingFile(job.id, uuid4().hex, file.name, file.digest, len(pieces), now, file.by, due_at=now, names=names)
    await pending_files.keep(runtime.db, new, pieces)
    return await _announce(runtime, job, new)


def _pieces(content: IO[bytes]) -> list[bytes]:
    content.seek(0)
    return list(iter(lambda: content.read(PIECE), b""))


async def _announce(runtime: Runtime, job: Job, file: PendingFile) -> Job:
    """Change the job's version, so that nobody starts it who has not seen the file. Raises Conflict."""
    runtime.rows_bell.set()
    while True:
        try:
            check(job, Contents())
        except BaseException:
            await pending_files.drop(runtime.db, file)
            raise
        if saved := await jobs.save(runtime.db, job):
            return saved
        job = await reload(runtime, job)


async def match(runtime: Runtime, job: Job, file: PendingFile, names: Mapping[str, str]) -> Job:
    """Read a file again, with what somebody said that its headings mean. Raises RequestError, Conflict.

    names: a field, a variable, or "" for nothing, by heading.
    """
    said = replace(file, names=tuple(names.items()), headings=tuple(names.items()))
    try:
        check_columns([Column(heading, name) for heading, name in names.items()], variables(job))
    except RequestError as error:
        await pending_files.replace(runtime.db, replace(said, wrong=error.message, field=error.field or ""))
        raise
    again = replace(said, wrong="", field="", headings=(), found=0, due_at=runtime.clock(), lease=None)
    await pending_files.replace(runtime.db, again)
    return await _announce(runtime, job, again)


async def stop(runtime: Runtime, job: Job, file: PendingFile) -> Job:
    """Take a file away that waits or is being read, also if its rows have just become the job's. Raises Conflict."""
    await pending_files.drop(runtime.db, file)
    while True:
        check(job, Contents())
        rest = tuple(upload for upload in job.uploads if upload.digest != file.digest)
        if saved := await jobs.save(runtime.db, replace(job, uploads=rest)):
            break
        job = await reload(runtime, job)
    for upload in set(job.uploads) - set(rest):
        await jobs.drop_upload(runtime.db, job, upload.name)
    return saved

"""Adds the rows of files to jobs, and stores the rows that are refused."""

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.model.job import REFUSED_ROWS, Batch, Job, JobFile, RefusedRows, Upload, batch_id
from gateway.messages.composing.lint import variables_of
from gateway.messages.jobs.contents import Contents, RowsFile, Watcher, WrongColumns
from gateway.messages.jobs.files.frames import Frame, Reading, Refusals, Rows
from gateway.messages.jobs.files.reading import read_file
from gateway.messages.jobs.files.rows import Terms
from gateway.messages.jobs.jobs import reload
from gateway.messages.jobs.progress import JobMessage
from gateway.runtime.runtime import Runtime
from storage import job_files, jobs

MOST = 1_000_000
"""Rows of a job."""

FILES = 10_000
"""Files of a job."""


async def add_rows(
    runtime: Runtime, job: Job, file: RowsFile, watcher: Watcher | None = None, name: str = ""
) -> tuple[Job, Contents]:
    """Add the rows of a file to a draft; the same file again changes nothing. Raises RequestError, Conflict.

    What is read is stored at once, under a `name` of its own, and belongs to the job when the job refers to it.
    """
    contents, is_new, watcher, name = Contents(), not has(job, file.digest), watcher or Watcher(), name or uuid4().hex
    if is_new:
        check(job, contents)
    try:
        async with runtime.file_readers, aclosing(_frames(runtime, job, file)) as frames:
            async for frame in frames:
                if is_new:
                    await _store(runtime, job, name, contents, frame)
                    _check_rows(job, contents)
                contents.add(frame)
                await watcher.see(contents)
        if is_new:
            await job_files.add(runtime.db, _described(runtime, job, name, file, contents))
        upload = Upload(file.digest, contents.accepted, contents.refused, name)
        return await _refer(runtime, job, upload, watcher), contents
    except BaseException as error:
        await drop_unless_referred(runtime, job, name)
        if isinstance(error, RequestError) and error.field and contents.headings and not contents.accepted:
            raise WrongColumns(error, contents.headings) from None
        raise


WARNINGS = 5
"""Warnings that are kept of a file: the first ones say what kind of mistake it is."""


def _described(runtime: Runtime, job: Job, name: str, file: RowsFile, contents: Contents) -> JobFile:
    return JobFile(
        batch_id(job.id, name, 0),
        job.id,
        name,
        file.name,
        file.digest,
        runtime.clock(),
        contents.accepted,
        contents.refused,
        file.by,
        tuple(contents.headings.items()),
        tuple(sorted(contents.zones.items())),
        contents.reasons,
        contents.warned,
        tuple((fault.row, fault.message) for fault in contents.warnings[:WARNINGS]),
    )


def _frames(runtime: Runtime, job: Job, file: RowsFile) -> AsyncGenerator[Frame, None]:
    tuning = runtime.settings.tuning
    terms = Terms(
        runtime.settings.default_region, variables(job), once=job.kind == "advertising", names=dict(file.names)
    )
    reading = Reading(terms, job.batch_rows, tuning.file_memory, tuning.file_seconds, tuning.file_deadline, os.getpid())
    return read_file(file.content, file.name, reading)


def variables(job: Job) -> frozenset[str]:
    """Return the variables that each row of a job needs a value for."""
    return frozenset[str]().union(*variables_of(JobMessage.of(job).channels))


def has(job: Job, digest: str) -> bool:
    """Tell whether a job has the rows of a file with this digest."""
    return any(upload.digest == digest for upload in job.uploads)


def check(job: Job, contents: Contents) -> None:
    """Raise Conflict or RequestError unless the job can have these rows."""
    if job.state != "draft":
        raise Conflict(f"Rows are added to a draft; this job is {job.state}.")
    _check_rows(job, contents)
    if len(job.uploads) >= FILES:
        raise RequestError("too_many", f"a job has at most {FILES} files")


def _check_rows(job: Job, contents: Contents) -> None:
    rows = sum(upload.rows + upload.refused for upload in job.uploads)
    if rows + contents.accepted + contents.refused > MOST:
        raise RequestError("too_many", f"a job has at most {MOST} rows, with those that are refused")


async def _store(runtime: Runtime, job: Job, upload: str, contents: Contents, frame: Frame) -> None:
    """Store the rows of a frame, behind the `contents` of those before it."""
    if isinstance(frame, Rows) and frame.size:
        number = contents.accepted // job.batch_rows
        key = batch_id(job.id, upload, number)
        await jobs.add_batches(
            runtime.db, [Batch(key, job.id, upload, number, frame.rows, frame.size, first=frame.first)]
        )
    elif isinstance(frame, Refusals) and frame.rows:
        number = contents.refused // REFUSED_ROWS
        key, rows = batch_id(job.id, upload, number), msgspec.json.encode(frame.rows).decode()
        refused = RefusedRows(key, job.id, upload, number, rows, runtime.clock())
        await jobs.add_refused(runtime.db, [refused])


async def drop_file(runtime: Runtime, job: Job, name: str) -> Job:
    """Take a file with its rows out of a draft. Returns the job; raises Conflict if it is no draft."""
    while any(upload.name == name for upload in job.uploads):
        check(job, Contents())
        rest = tuple(upload for upload in job.uploads if upload.name != name)
        if saved := await jobs.save(runtime.db, replace(job, uploads=rest, forecast=None)):
            await jobs.drop_upload(runtime.db, saved, name)
            return saved
        job = await reload(runtime, job)
    return job


async def _refer(runtime: Runtime, job: Job, upload: Upload, watcher: Watcher) -> Job:
    """Let the job refer to what was stored of a file, unless it has that file already. Returns the job."""
    while not has(job, upload.digest) and (upload.rows or upload.refused):
        check(job, Contents(accepted=upload.rows, refused=upload.refused))
        await watcher.insist()
        if saved := await jobs.save(runtime.db, replace(job, uploads=(*job.uploads, upload), forecast=None)):
            return saved
        job = await reload(runtime, job)
    await drop_unless_referred(runtime, job, upload.name)
    return job


async def drop_unless_referred(runtime: Runtime, job: Job, name: str) -> None:
    """Delete what was stored of a file under this name, unless it belongs to the job by now."""
    current = await jobs.get(runtime.db, job.id)
    if current is None or all(upload.name != name for upload in current.uploads):
        await jobs.drop_upload(runtime.db, job, name)

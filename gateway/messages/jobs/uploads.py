"""Adds the rows of files to jobs, and stores the rows that are refused."""

import os
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import IO
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError, StepInput
from gateway.domain.api.response import Fault
from gateway.domain.model.job import REFUSED_ROWS, Batch, Job, RefusedRows, Upload, batch_id
from gateway.messages.composing.lint import variables_of
from gateway.messages.jobs.files.frames import Frame, Head, Reading, Refusals, Rows, Warnings
from gateway.messages.jobs.files.reading import read_file
from gateway.messages.jobs.files.rows import Terms
from gateway.messages.jobs.jobs import reload
from gateway.runtime.runtime import Runtime
from storage import jobs

MOST = 1_000_000
"""Rows of a job."""

FILES = 10_000
"""Files of a job."""

TOLD = 1000
"""Faults and warnings of a file that its upload is answered with, at most."""


@dataclass(frozen=True)
class RowsFile:
    """A file of rows. digest: of its bytes."""

    name: str
    content: IO[bytes]
    digest: str


@dataclass
class Contents:
    """What was found in a file. columns: heading -> the field or variable that it names."""

    columns: dict[str, str] = field(default_factory=dict)
    accepted: int = 0
    refused: int = 0
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """Add what a frame says."""
        match frame:
            case Head():
                self.columns = frame.columns
            case Rows():
                self.accepted += frame.size
            case Refusals():
                self.refused += len(frame.rows)
                self.faults += [row.fault for row in frame.rows[: TOLD - len(self.faults)]]
            case Warnings():
                self.warnings += frame.faults[: TOLD - len(self.warnings)]


async def add_rows(runtime: Runtime, job: Job, file: RowsFile) -> tuple[Job, Contents]:
    """Add the rows of a file to a draft; the same file again changes nothing. Raises RequestError, Conflict.

    What is read is stored at once, under a name of its own, and belongs to the job when the job refers to it.
    """
    contents, name, is_new = Contents(), uuid4().hex, not _has(job, file)
    if is_new:
        _check(job, contents)
    try:
        async with runtime.file_readers, aclosing(read_file(file.content, file.name, _reading(runtime, job))) as frames:
            async for frame in frames:
                if is_new:
                    await _store(runtime, job, name, contents, frame)
                    _check_rows(job, contents)
                contents.add(frame)
        return await _refer(runtime, job, Upload(file.digest, contents.accepted, contents.refused, name)), contents
    except BaseException:
        await jobs.drop_upload(runtime.db, job, name)
        raise


def _reading(runtime: Runtime, job: Job) -> Reading:
    variables = frozenset[str]().union(*variables_of(msgspec.json.decode(job.message, type=_Message).channels))
    tuning = runtime.settings.tuning
    terms = Terms(runtime.settings.default_region, variables, once=job.kind == "advertising")
    return Reading(terms, job.batch_rows, tuning.file_memory, tuning.file_seconds, tuning.file_deadline, os.getpid())


class _Message(msgspec.Struct, rename="camel"):
    channels: list[StepInput]


def _has(job: Job, file: RowsFile | Upload) -> bool:
    return any(upload.digest == file.digest for upload in job.uploads)


def _check(job: Job, contents: Contents) -> None:
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
        await jobs.add_batches(runtime.db, [Batch(key, job.id, upload, number, frame.rows, frame.size)])
    elif isinstance(frame, Refusals) and frame.rows:
        number = contents.refused // REFUSED_ROWS
        key, rows = batch_id(job.id, upload, number), msgspec.json.encode(frame.rows).decode()
        refused = RefusedRows(key, job.id, upload, number, rows, runtime.clock())
        await jobs.add_refused(runtime.db, [refused])


async def _refer(runtime: Runtime, job: Job, upload: Upload) -> Job:
    """Let the job refer to what was stored of a file, unless it has that file already. Returns the job."""
    while not _has(job, upload) and (upload.rows or upload.refused):
        _check(job, Contents(accepted=upload.rows, refused=upload.refused))
        if saved := await jobs.save(runtime.db, replace(job, uploads=(*job.uploads, upload))):
            return saved
        job = await reload(runtime, job)
    await jobs.drop_upload(runtime.db, job, upload.key)
    return job

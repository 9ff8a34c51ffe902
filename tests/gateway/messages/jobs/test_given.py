"""Tests files that are given to jobs: any worker reads them, also after another one has died over them."""

import io
from datetime import timedelta

import pytest
from msgspec.structs import replace

from gateway.domain.model.job import Batch, Job, batch_id
from gateway.messages.jobs import given, reader
from gateway.messages.jobs.contents import RowsFile
from gateway.runtime.runtime import Runtime
from storage import jobs, pending_files
from storage.pending_files import PendingFile, PendingFiles
from tests.support.client import ApiClient, until
from tests.support.jobs import create_draft, table
from tests.support.workload import phone

LEASE = timedelta(minutes=1)


async def draft_with_a_file(demo: ApiClient) -> Job:
    """Return a draft that was given a file of three rows, of which one has no number."""
    runtime, raw = demo.environment.runtime, table(["phone"], [phone(1)], ["12"], [phone(2)])
    job = await jobs.get(runtime.db, (await create_draft(demo))["id"])
    assert job
    return await given.give(runtime, job, RowsFile("people.csv", io.BytesIO(raw), "digest"))


async def wait_until_read(runtime: Runtime, key: str) -> Job:
    """Wait until no file of a job waits any more. Returns the job."""

    async def read() -> bool:
        return await pending_files.get(runtime.db, key) is None

    await until(read)
    job = await jobs.get(runtime.db, key)
    assert job
    return job


async def begun(runtime: Runtime) -> PendingFile:
    """Take the file that is due, and store rows as a worker does that has got so far. Returns it with its lease."""
    (file,) = await PendingFiles(runtime.db).claim(runtime.clock(), LEASE, 1, set())
    file = replace(file, tries=(*file.tries, f"try{len(file.tries)}"), found=1)
    assert await pending_files.note(runtime.db, file, runtime.clock())
    key, upload = file.id, file.tries[-1]
    await jobs.add_batches(runtime.db, [Batch(batch_id(key, upload, 0), key, upload, 0, "[]", 1)])
    return file


async def test_another_worker_reads_what_a_dead_one_has_begun(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = demo.environment.runtime
    monkeypatch.setattr(reader, "AT_ONCE", 0)  # so that the environment's own worker takes nothing
    job = await draft_with_a_file(demo)
    frozen = await begun(runtime)
    assert await PendingFiles(runtime.db).claim(runtime.clock(), LEASE, 1, set()) == []
    monkeypatch.undo()
    demo.pass_time(hours=0.1)
    job = await wait_until_read(runtime, job.id)
    assert [(upload.rows, upload.refused) for upload in job.uploads] == [(2, 1)]
    uploads = await runtime.db["batches"].distinct("upload")
    assert uploads == [job.uploads[0].name], "what the dead one has stored is gone"
    assert not await pending_files.note(runtime.db, frozen, runtime.clock()), "if it was only slow, it is told"
    assert await runtime.db["pending_pieces"].count_documents({}) == 0


async def test_a_file_that_kills_whoever_reads_it_is_given_up(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = demo.environment.runtime
    monkeypatch.setattr(reader, "AT_ONCE", 0)
    job = await draft_with_a_file(demo)
    for _ in range(reader.TRIES):
        await begun(runtime)
        demo.pass_time(hours=0.1)
    monkeypatch.undo()

    async def refused() -> str:
        file = await pending_files.get(runtime.db, job.id)
        return file.wrong if file else ""

    assert "people.csv: whoever reads it breaks off" in await until(refused)


async def test_a_job_that_was_started_meanwhile_gets_no_more_rows(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = demo.environment.runtime
    monkeypatch.setattr(reader, "AT_ONCE", 0)
    job = await draft_with_a_file(demo)
    assert await jobs.save(runtime.db, replace(job, state="cancelled"))
    monkeypatch.undo()
    job = await wait_until_read(runtime, job.id)
    assert job.uploads == ()
    assert await runtime.db["batches"].count_documents({}) == 0

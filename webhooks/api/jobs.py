"""Jobs over HTTP: creating, adding rows from files, starting, pausing, retrying, and showing their progress."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import Input, convert, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.model.job import Batch, Job, Row, Verb
from gateway.messages.jobs import jobs
from gateway.messages.jobs.jobs import JobRequest, Progress
from gateway.messages.jobs.rows import Fault
from gateway.runtime.paging import PageQuery
from storage import jobs as stored
from storage.messages import notifications
from webhooks.api.messages.export import XLSX
from webhooks.http.answers import DeletedResponse, answer, require
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_uploads

blueprint = Blueprint("jobs", __name__, url_prefix="/api/v1/jobs")

LARGEST = 8 * 1024 * 1024 - 1
"""The largest file, in bytes."""

FAULTS = 1000
"""The largest number of faulty rows that an answer lists."""


class JobView(View):
    """A job in a list."""

    id: str
    name: str
    kind: str
    state: str
    total: int
    created_at: str | None
    started_at: str | None
    ended_at: str | None


class JobResponse(JobView):
    """A job and its progress.

    processed: rows that were worked on; refused: those of them that led to no message. byStatus: messages, as they were
    when a worker last looked. rate: rows a second; endsAt: when the job ends at this rate.
    """

    processed: int
    refused: int
    by_status: dict[str, int]
    rate: float | None
    ends_at: str | None
    warnings: list[str] = []  # noqa: RUF012 - msgspec copies it


class JobsResponse(View):
    """A page; `cursor` is null on the last one."""

    jobs: list[JobView]
    cursor: str | None


class UploadResponse(View):
    """columns: what each heading was taken for. faults: the first 1,000 of the rows that were left out."""

    accepted: int
    refused: int
    total: int
    columns: dict[str, str]
    faults: list[Fault]


class RowResultView(View):
    """The result of a row. row: its line in its file. fault: why it led to no message."""

    row: int
    phone: str | None
    external_id: str | None
    message_id: str | None
    status: str | None
    fault: str | None


class RowResultsResponse(View):
    """A page, which holds the rows of one batch; `cursor` is null on the last one."""

    rows: list[RowResultView]
    cursor: str | None


class RowResultsQuery(Input):
    """cursor: the one from the page before."""

    cursor: Annotated[str, Meta(pattern=r"^[0-9]{1,6}\Z")] | None = None


@blueprint.post("")
@allow(Role.OPERATOR)
@document_request(JobRequest)
@document_response(JobResponse, 201)
async def create() -> ResponseReturnValue:
    """Create a job. It is a draft without rows; add them next."""
    job, warnings = await jobs.create(runtime(), read(JobRequest, await body()))
    return answer(_progress(Progress(job), warnings), 201)


@blueprint.get("")
@allow(Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(JobsResponse)
async def list_jobs() -> ResponseReturnValue:
    """List jobs, the newest first."""
    page, cursor = await jobs.page(runtime(), convert(PageQuery, query()))
    return answer(JobsResponse(jobs=[JobView(**_fields(job)) for job in page], cursor=cursor))


@blueprint.get("/<key>")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def get_job(key: str) -> ResponseReturnValue:
    """Show a job and its progress."""
    return answer(_progress(await jobs.progress(runtime(), await _job(key)), []))


@blueprint.post("/<key>/rows")
@allow(Role.OPERATOR)
@document_uploads("text/csv", XLSX, "application/octet-stream")
@document_response(UploadResponse)
async def add_rows(key: str) -> ResponseReturnValue:
    """Add the rows of a file, CSV or Excel, to a draft.

    Good rows are kept; the answer names the row and column of bad ones. Sending the same file again changes nothing.
    """
    job, table = await jobs.add_rows(runtime(), await _job(key), await body(LARGEST))
    return answer(
        UploadResponse(
            accepted=len(table.rows),
            refused=len(table.faults),
            total=job.total,
            columns=dict(table.columns),
            faults=table.faults[:FAULTS],
        )
    )


@blueprint.get("/<key>/rows")
@allow(Role.OPERATOR)
@document_querystring(RowResultsQuery)
@document_response(RowResultsResponse)
async def list_row_results(key: str) -> ResponseReturnValue:
    """List the result of each row, in the order of the files."""
    keys, number = (await _job(key)).batches, int(convert(RowResultsQuery, query()).cursor or 0)
    batches = await stored.batches(runtime().db, keys[number : number + 1])
    next_cursor = str(number + 1) if number + 1 < len(keys) else None
    rows = [result for batch in batches for result in await _row_results(batch)]
    return answer(RowResultsResponse(rows=rows, cursor=next_cursor))


@blueprint.post("/<key>/start")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def start(key: str) -> ResponseReturnValue:
    """Start to send."""
    return await _move(key, "start")


@blueprint.post("/<key>/pause")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def pause(key: str) -> ResponseReturnValue:
    """Submit no more rows; up to 250 that were submitted, and what was begun before, still go out."""
    return await _move(key, "pause")


@blueprint.post("/<key>/resume")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def resume(key: str) -> ResponseReturnValue:
    """Continue after a pause."""
    return await _move(key, "resume")


@blueprint.post("/<key>/cancel")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def cancel(key: str) -> ResponseReturnValue:
    """End a job for good; messages that have not left are cancelled."""
    return await _move(key, "cancel")


@blueprint.post("/<key>/retry")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def retry(key: str) -> ResponseReturnValue:
    """Send the failed messages of a finished job once more, and only those."""
    return await _move(key, "retry")


@blueprint.delete("/<key>")
@allow(Role.OPERATOR)
@document_response(DeletedResponse)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a job that is not running, and its rows; its messages stay."""
    await jobs.delete(runtime(), await _job(key))
    return answer(DeletedResponse(id=key))


async def _job(key: str) -> Job:
    return require(key, await stored.get(runtime().db, key))


async def _move(key: str, verb: Verb) -> ResponseReturnValue:
    job = await jobs.move(runtime(), await _job(key), verb)
    return answer(_progress(await jobs.progress(runtime(), job), []))


def _fields(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "kind": job.kind,
        "state": job.state,
        "total": job.total,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "ended_at": iso(job.ended_at),
    }


def _progress(progress: Progress, warnings: list[str]) -> JobResponse:
    return JobResponse(
        **_fields(progress.job),
        processed=progress.processed,
        refused=progress.refused,
        by_status=progress.by_status,
        rate=round(progress.rate, 2) if progress.rate else None,
        ends_at=iso(progress.ends_at),
        warnings=warnings,
    )


async def _row_results(batch: Batch) -> list[RowResultView]:
    rows, ids = msgspec.json.decode(batch.rows, type=list[Row]), batch.ids or ("",) * batch.size
    messages = await notifications.several(runtime().db, filter(None, ids))
    return [
        RowResultView(
            row=row.line,
            phone=row.destination.get("phone"),
            external_id=row.destination.get("externalId"),
            message_id=key if key in messages else None,
            status=messages[key].status if key in messages else None,
            fault=batch.faults.get(str(place)),
        )
        for place, (row, key) in enumerate(zip(rows, ids, strict=True))
    ]

"""Jobs over HTTP: made, given rows from files, started, paused, tried again, looked at."""

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
from webhooks.api.templates.own import DeletedTemplateResponse
from webhooks.http.answers import answer, there
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_uploads

blueprint = Blueprint("jobs", __name__, url_prefix="/api/v1/jobs")

LARGEST = 8 * 1024 * 1024 - 1
"""Bytes of a file."""

FAULTS = 1000
"""Bad rows that are told one by one."""


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
    """processed: rows of which something has become; refused: those that have led to no message. rate: rows a second.

    byStatus: messages, as they were when a worker last looked. endsAt: at this rate.
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
    """columns: what each heading was taken for. faults: the rows that were left out, the first 1,000 of them."""

    accepted: int
    refused: int
    total: int
    columns: dict[str, str]
    faults: list[Fault]


class RowResultView(View):
    """What became of a row. row: its line in its file. fault: why no message came of it."""

    row: int
    phone: str | None
    external_id: str | None
    message_id: str | None
    status: str | None
    fault: str | None


class RowResultsResponse(View):
    """A page: the rows of one batch; `cursor` is null on the last one."""

    rows: list[RowResultView]
    cursor: str | None


class RowResultsQuery(Input):
    """Which page is wanted. `cursor` is what the page before it gave."""

    cursor: Annotated[str, Meta(pattern=r"^[0-9]{1,6}\Z")] | None = None


@blueprint.post("")
@allow(Role.OPERATOR)
@document_request(JobRequest)
@document_response(JobResponse, 201)
async def create() -> ResponseReturnValue:
    """Make a job: a draft, which gets its rows next."""
    job, told = await jobs.create(runtime(), read(JobRequest, await body()))
    return answer(_progress(Progress(job), told), 201)


@blueprint.get("")
@allow(Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(JobsResponse)
async def rows() -> ResponseReturnValue:
    """List jobs, the newest first."""
    found, cursor = await jobs.page(runtime(), convert(PageQuery, query()))
    return answer(JobsResponse(jobs=[JobView(**_job(job)) for job in found], cursor=cursor))


@blueprint.get("/<key>")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def job(key: str) -> ResponseReturnValue:
    """Tell how far a job is."""
    return answer(_progress(await jobs.progress(runtime(), await _found(key)), []))


@blueprint.post("/<key>/rows")
@allow(Role.OPERATOR)
@document_uploads("text/csv", XLSX, "application/octet-stream")
@document_response(UploadResponse)
async def add_rows(key: str) -> ResponseReturnValue:
    """Add the rows of a file, CSV or Excel, to a draft.

    Good rows are kept, bad ones are told by row and column. The same file again changes nothing.
    """
    job, table = await jobs.add_rows(runtime(), await _found(key), await body(LARGEST))
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
async def fates(key: str) -> ResponseReturnValue:
    """Tell what became of each row, in the order of the files."""
    batches, number = (await _found(key)).batches, int(convert(RowResultsQuery, query()).cursor or 0)
    found = await stored.batches(runtime().db, batches[number : number + 1])
    following = str(number + 1) if number + 1 < len(batches) else None
    return answer(RowResultsResponse(rows=[fate for batch in found for fate in await _fates(batch)], cursor=following))


@blueprint.post("/<key>/start")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def start(key: str) -> ResponseReturnValue:
    """Begin to send."""
    return await _moved(key, "start")


@blueprint.post("/<key>/pause")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def pause(key: str) -> ResponseReturnValue:
    """Hand over no more rows; of those that were, up to 250 and what was begun before still go out."""
    return await _moved(key, "pause")


@blueprint.post("/<key>/resume")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def resume(key: str) -> ResponseReturnValue:
    """Go on after a pause."""
    return await _moved(key, "resume")


@blueprint.post("/<key>/cancel")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def cancel(key: str) -> ResponseReturnValue:
    """End it for good: what has not left is cancelled."""
    return await _moved(key, "cancel")


@blueprint.post("/<key>/retry")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def retry(key: str) -> ResponseReturnValue:
    """Of a job that is done, send once more what has failed, and that only."""
    return await _moved(key, "retry")


@blueprint.delete("/<key>")
@allow(Role.OPERATOR)
@document_response(DeletedTemplateResponse)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a job that is not at work, and its rows; its messages stay."""
    await jobs.delete(runtime(), await _found(key))
    return answer(DeletedTemplateResponse(id=key))


async def _found(key: str) -> Job:
    return there(key, await stored.get(runtime().db, key))


async def _moved(key: str, verb: Verb) -> ResponseReturnValue:
    moved = await jobs.move(runtime(), await _found(key), verb)
    return answer(_progress(await jobs.progress(runtime(), moved), []))


def _job(job: Job) -> dict[str, Any]:
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
        **_job(progress.job),
        processed=progress.processed,
        refused=progress.refused,
        by_status=progress.by_status,
        rate=round(progress.rate, 2) if progress.rate else None,
        ends_at=iso(progress.ends_at),
        warnings=warnings,
    )


async def _fates(batch: Batch) -> list[RowResultView]:
    rows, ids = msgspec.json.decode(batch.rows, type=list[Row]), batch.ids or ("",) * batch.size
    found = await notifications.several(runtime().db, filter(None, ids))
    return [
        RowResultView(
            row=row.line,
            phone=row.destination.get("phone"),
            external_id=row.destination.get("externalId"),
            message_id=key if key in found else None,
            status=found[key].status if key in found else None,
            fault=batch.faults.get(str(place)),
        )
        for place, (row, key) in enumerate(zip(rows, ids, strict=True))
    ]

"""The rows of jobs over HTTP: adding them from files, showing their results, and giving refused ones back."""

from typing import Annotated

from msgspec import Meta
from quart import Blueprint, g
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.jobs import JobFilesResponse, JobFileView, RowResultsResponse, RowResultView, WaitingFileView
from gateway.domain.api.request import Input, convert
from gateway.domain.api.response import UploadResponse
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import JobFile
from gateway.messages.jobs import given, results, uploads
from gateway.messages.jobs.contents import RowsFile
from gateway.messages.jobs.refused import columns, pages
from gateway.messages.jobs.results import RowResult, State
from gateway.messages.jobs.uploads import add_rows
from gateway.runtime.paging import NO_CURSOR
from storage import job_files, pending_files
from storage.pending_files import PendingFile
from webhooks.api.jobs.jobs import job_of
from webhooks.http.answers import DeletedResponse, answer, require
from webhooks.http.audit import note, records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_files, document_uploads
from webhooks.http.tables import CSV, XLSX, Format, table_file
from webhooks.http.uploads import uploaded

blueprint = Blueprint("rows", __name__, url_prefix="/api/v1/jobs")


class RowResultsQuery(Input):
    """cursor: the one from the page before. state: which rows are wanted; `refused` are also those of unread rows."""

    cursor: Annotated[str, Meta(pattern=r"^[0-9]{1,9}\Z", extra={"form": NO_CURSOR})] | None = None
    state: State = "all"


class RefusedRowsQuery(Input):
    """format: of the file."""

    format: Format = "csv"


@blueprint.post("/<key>/rows")
@allow(Role.OPERATOR)
@records(Act.JOB_ADD_ROWS)
@document_uploads("text/csv", XLSX, "application/octet-stream", "multipart/form-data")
@document_response(UploadResponse)
async def add(key: str) -> ResponseReturnValue:
    """Add the rows of a file, CSV or Excel, to a draft: as the body, or as the only file of a form.

    Good rows are kept; the answer names the row and column of bad ones, which can be fetched with their reasons.
    Sending the same file again changes nothing.
    """
    job = await job_of(key)
    async with uploaded() as file:
        job, contents = await add_rows(runtime(), job, RowsFile(file.name, file.content, file.digest, g.caller))
    note(name=job.name, after={"rows": str(contents.accepted)})
    return answer(
        UploadResponse(
            accepted=contents.accepted,
            refused=contents.refused,
            total=job.total,
            columns=contents.columns,
            faults=contents.faults,
            warnings=contents.warnings,
        )
    )


@blueprint.get("/<key>/rows")
@allow(Role.OPERATOR)
@document_querystring(RowResultsQuery)
@document_response(RowResultsResponse)
async def list_row_results(key: str) -> ResponseReturnValue:
    """List the result of each row, in the order of the files; with `state`, of the rows that are in it."""
    job, wanted = await job_of(key), convert(RowResultsQuery, query())
    page = await results.page(runtime(), job, int(wanted.cursor or 0), wanted.state)
    cursor = None if page.cursor is None else str(page.cursor)
    return answer(RowResultsResponse(rows=list(map(_view, page.rows)), cursor=cursor))


@blueprint.get("/<key>/files")
@allow(Role.OPERATOR)
@document_response(JobFilesResponse)
async def list_files(key: str) -> ResponseReturnValue:
    """List the files of a job (up to 100), with their headings and what those were taken for."""
    job = await job_of(key)
    files, waiting = await job_files.of_job(runtime().db, job.id), await pending_files.get(runtime().db, job.id)
    return answer(JobFilesResponse(files=list(map(_file, files)), waiting=_waiting(waiting) if waiting else None))


@blueprint.delete("/<key>/files/<name>")
@allow(Role.OPERATOR)
@records(Act.JOB_TAKE_ROWS)
@document_response(DeletedResponse)
async def drop_file(key: str, name: str) -> ResponseReturnValue:
    """Take a file with its rows out of a draft; `waiting` is the name of the one that is being read or cannot be."""
    job = await job_of(key)
    if name == WAITING:
        file = require(name, await pending_files.get(runtime().db, job.id))
        job = await given.stop(runtime(), job, file)
    else:
        job = await uploads.drop_file(runtime(), job, name)
    note(name=job.name, after={"rows": str(job.total)})
    return answer(DeletedResponse(id=name))


WAITING = "waiting"


@blueprint.get("/<key>/rows/export")
@allow(Role.OPERATOR)
@document_querystring(RefusedRowsQuery)
@document_files(CSV, XLSX)
async def export_results(key: str) -> ResponseReturnValue:
    """Export what became of every row, as CSV or as an Excel workbook (of up to 100,000 rows).

    It has the columns of the files, and the status, channel, reason, times, parts, price and clicks of each row.
    """
    job, wanted = await job_of(key), convert(RefusedRowsQuery, query())
    headings = await results.columns(runtime(), job)
    return await table_file("results", headings, results.table(runtime(), job, headings), wanted.format)


@blueprint.get("/<key>/rows/refused")
@allow(Role.OPERATOR)
@document_querystring(RefusedRowsQuery)
@document_files(CSV, XLSX)
async def export_refused(key: str) -> ResponseReturnValue:
    """Export the rows that led to no message, each with its reason, as CSV or as an Excel workbook (of up to 100,000).

    The file can be mended and added to another job: the columns with the row and the reason are passed over then.
    """
    job, wanted = await job_of(key), convert(RefusedRowsQuery, query())
    headings = await columns(runtime(), job)
    return await table_file("refused", headings, pages(runtime(), job, headings), wanted.format)


def _file(file: JobFile) -> JobFileView:
    return JobFileView(
        id=file.upload,
        name=file.name,
        added_at=iso(file.at),
        added_by=file.by,
        rows=file.rows,
        refused=file.refused,
        columns=dict(file.columns),
        faults={reason.text: reason.count for reason in file.faults},
    )


def _waiting(file: PendingFile) -> WaitingFileView:
    return WaitingFileView(
        name=file.name,
        added_at=iso(file.at),
        added_by=file.given_by,
        rows=file.found,
        reading=file.due_at is not None,
        reason=file.wrong or None,
    )


def _view(result: RowResult) -> RowResultView:
    message = result.message
    return RowResultView(
        row=result.row,
        phone=result.cells.get("phone"),
        external_id=result.cells.get("externalId"),
        message_id=message.id if message else None,
        status=message.status if message else None,
        channel=result.channel or None,
        reason=result.reason or None,
        fault=result.fault,
    )

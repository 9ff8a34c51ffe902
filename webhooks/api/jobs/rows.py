"""The rows of jobs over HTTP: adding them from files, showing their results, and giving refused ones back."""

from typing import Annotated

import msgspec
from msgspec import Meta
from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_response

from gateway.domain.api.request import Input, convert
from gateway.domain.api.response import UploadResponse, View
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import Batch, Row
from gateway.messages.jobs.refused import columns, pages
from gateway.messages.jobs.uploads import RowsFile, add_rows
from gateway.runtime.paging import NO_CURSOR
from storage import jobs as stored
from storage.messages import notifications
from webhooks.api.jobs.jobs import job_of
from webhooks.http.answers import answer
from webhooks.http.audit import note, records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_files, document_uploads
from webhooks.http.tables import CSV, XLSX, Format, table_file
from webhooks.http.uploads import uploaded

blueprint = Blueprint("rows", __name__, url_prefix="/api/v1/jobs")


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

    cursor: Annotated[str, Meta(pattern=r"^[0-9]{1,6}\Z", extra={"form": NO_CURSOR})] | None = None


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
        job, contents = await add_rows(runtime(), job, RowsFile(file.name, file.content, file.digest))
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
    """List the result of each row, in the order of the files."""
    keys, number = (await job_of(key)).batches, int(convert(RowResultsQuery, query()).cursor or 0)
    batches = await stored.batches(runtime().db, keys[number : number + 1])
    next_cursor = str(number + 1) if number + 1 < len(keys) else None
    rows = [result for batch in batches for result in await _row_results(batch)]
    return answer(RowResultsResponse(rows=rows, cursor=next_cursor))


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

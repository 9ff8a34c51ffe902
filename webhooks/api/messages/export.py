"""Export of messages over HTTP: as CSV, which is sent while the messages are read, or as an Excel workbook."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterable
from typing import IO

import msgspec
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from gateway.domain.api.request import RequestError, convert
from gateway.domain.api.response import MessageView
from gateway.domain.api.roles import Role
from gateway.messages.archive.listing import ExportQuery, every
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.http.openapi import document_files

blueprint = Blueprint("export", __name__, url_prefix="/api/v1/messages/export")

MOST = 100_000
"""The largest number of rows in a workbook; CSV has no bound."""

HEADINGS = [field.encode_name for field in msgspec.structs.fields(MessageView)]
CHUNK = 64 * 1024
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Characters that a spreadsheet takes for the beginning of a formula.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(ExportQuery)
@document_files(CSV, XLSX)
async def export() -> ResponseReturnValue:
    """Export messages as CSV or as an Excel workbook (of up to 100,000 rows), the newest first."""
    export_query = convert(ExportQuery, query())
    pages = every(runtime(), export_query)
    first = await anext(pages)
    if export_query.format == "csv":
        return _file(_csv(first, pages), CSV, "messages.csv")
    return _file(await _workbook(first, pages), XLSX, "messages.xlsx")


def _file(content: AsyncIterator[bytes], kind: str, name: str) -> Response:
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.timeout = None  # a long file takes long
    return response


async def _csv(first: list[MessageView], pages: AsyncIterator[list[MessageView]]) -> AsyncIterator[bytes]:
    yield "\ufeff".encode()  # by which spreadsheets see that it is UTF-8
    yield _lines([HEADINGS])
    yield _lines(map(_cells, first))
    async for rows in pages:
        yield _lines(map(_cells, rows))


def _lines(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(errors="replace")


def _cells(row: MessageView) -> list[object]:
    """Return a row's values, with text that a spreadsheet would take for a formula made harmless."""
    values: Iterable[object] = msgspec.structs.astuple(row)
    return [_plain(value) if isinstance(value, str) else value for value in values]


def _plain(text: str) -> str:
    """Put a quote before text that looks like a formula; a phone number (+ and digits) stays as it is."""
    harmless = not text.startswith(FORMULA) or text[1:].isdigit()
    return text if harmless else f"'{text}"


async def _workbook(first: list[MessageView], pages: AsyncIterator[list[MessageView]]) -> AsyncIterator[bytes]:
    """Write the workbook into a temporary file, since it cannot be sent before it is complete.

    The writing is done in threads. Raises RequestError if there are more than MOST rows.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when it has been sent
    book = Workbook(file, OPTIONS)
    sheet, count = book.add_worksheet("messages"), len(first)
    sheet.write_row(0, 0, HEADINGS)
    await asyncio.to_thread(_write, sheet, first, 1)
    async for rows in pages:
        if count + len(rows) > MOST:
            raise RequestError("too_many", f"a workbook has at most {MOST} rows: narrow it by from and to", "format")
        await asyncio.to_thread(_write, sheet, rows, 1 + count)
        count += len(rows)
    await asyncio.to_thread(book.close)
    file.seek(0)
    return _chunks(file)


def _write(sheet: Worksheet, rows: list[MessageView], start: int) -> None:
    for number, row in enumerate(rows, start):
        sheet.write_row(number, 0, msgspec.structs.astuple(row))


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk

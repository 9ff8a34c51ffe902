"""Answers with a table as a file: as CSV, which is sent while its rows are read, or as an Excel workbook."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import IO, Literal

from quart import Response
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from gateway.domain.api.request import RequestError
from gateway.domain.terms.formulas import mark

Format = Literal["csv", "xlsx"]
Rows = Sequence[Sequence[object]]
"""Some rows: the values of their cells."""

MOST = 100_000
"""The largest number of rows in a workbook; CSV has no bound."""

CHUNK = 64 * 1024
OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"


async def table_file(name: str, headings: Sequence[str], pages: AsyncIterator[Rows], format: Format) -> Response:  # noqa: A002
    """Return a response with these rows as the file `name`. Raises RequestError for too many rows of a workbook."""
    first: Rows = await anext(pages, [])  # whatever is wrong with the request is raised before the answer begins
    if format == "csv":
        return _file(_csv(headings, first, pages), CSV, f"{name}.csv")
    return _file(await _workbook(name, headings, first, pages), XLSX, f"{name}.xlsx")


def _file(content: AsyncIterator[bytes], kind: str, name: str) -> Response:
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.timeout = None  # a long file takes long
    return response


async def _csv(headings: Sequence[str], first: Rows, pages: AsyncIterator[Rows]) -> AsyncIterator[bytes]:
    yield "\ufeff".encode()  # by which spreadsheets see that it is UTF-8
    yield _lines([headings], csv.QUOTE_ALL)  # so that the separator is seen, whatever the headings hold
    yield _lines(first)
    async for rows in pages:
        yield _lines(rows)


def _lines(rows: Iterable[Iterable[object]], quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=quoting).writerows(map(_plain, rows))
    return text.getvalue().encode(errors="replace")


def _plain(row: Iterable[object]) -> list[object]:
    """Return the cells with no formulas among them: in a workbook too, which its reader may save as CSV."""
    return [mark(cell) if isinstance(cell, str) else cell for cell in row]


async def _workbook(
    name: str, headings: Sequence[str], first: Rows, pages: AsyncIterator[Rows]
) -> AsyncIterator[bytes]:
    """Write the workbook into a temporary file, since it cannot be sent before it is complete.

    The writing is done in threads. Raises RequestError if there are more than MOST rows.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when it has been sent
    book = Workbook(file, OPTIONS)
    sheet, count = book.add_worksheet(name), len(first)
    sheet.write_row(0, 0, _plain(headings))
    await asyncio.to_thread(_write, sheet, first, 1)
    async for rows in pages:
        if count + len(rows) > MOST:
            raise RequestError("too_many", f"a workbook has at most {MOST} rows: take less, or CSV", "format")
        await asyncio.to_thread(_write, sheet, rows, 1 + count)
        count += len(rows)
    await asyncio.to_thread(book.close)
    file.seek(0)
    return _chunks(file)


def _write(sheet: Worksheet, rows: Rows, start: int) -> None:
    for number, row in enumerate(rows, start):
        sheet.write_row(number, 0, _plain(row))


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk

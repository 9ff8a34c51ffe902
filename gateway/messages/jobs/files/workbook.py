"""Reads the first sheet of a workbook, after a look at how much would have to be unpacked and allocated for it."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineWorkbook

from gateway.domain.api.request import RequestError
from gateway.messages.jobs.files.csv_file import Line

UNPACKED = 256 * 1024 * 1024
"""Bytes of an unpacked workbook, at most."""

AREA = 10_000_000
"""Cells from the first that is filled to the last, at most: the reader allocates all of them."""

CHUNK = 1024 * 1024
PARTS = 10_000
"""Files inside a workbook, at most."""

CELL = re.compile(rb"<(?:\w{1,32}:)?c\s[^<>]{0,200}?\br\s?=\s?[\"']([A-Z]{1,3})(\d{1,7})[\"'][^<>]{0,200}(?<!/)>")
"""The beginning of a cell that holds something, with its column and row."""

OVERLAP = 512
"""Bytes that are looked at again with the next chunk, since a cell may lie across both."""


def workbook_lines(raw: bytes) -> Iterator[Line]:
    """Yield the lines of the first sheet, also of the empty ones. Raises RequestError."""
    try:
        check_size(raw)
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0)
        if sheet.start is None:  # it is empty
            return
        for number, cells in enumerate(sheet.iter_rows(), 1):  # it yields the empty ones above the first, too
            yield Line(number, cells)
    except BROKEN:
        raise RequestError("bad_file", "this is no workbook that can be read: save it as .xlsx or .csv") from None


BROKEN = (
    *(CalamineError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error),
    *(OSError, ValueError, IndexError, EOFError, NotImplementedError, RuntimeError),
)
"""What the libraries raise over archives and workbooks that are none."""


def check_size(raw: bytes) -> None:
    """Raise RequestError if the workbook unpacks to too much, or its cells lie too far apart.

    What is unpacked is counted: what the archive says of its sizes may be wrong.
    """
    room = UNPACKED
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = archive.infolist()
        if len(parts) > PARTS:
            raise RequestError("bad_file", f"the workbook has too many parts: at most {PARTS}")
        for part in parts:
            corners = _Corners() if "worksheets/" in part.filename else None
            for chunk in _chunks(archive, part):
                room -= len(chunk)
                if room < 0:
                    raise RequestError("bad_file", f"the workbook is too large: at most {UNPACKED} bytes unpacked")
                if corners:
                    corners.look(chunk)


def _chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as file:
        while chunk := file.read(CHUNK):
            yield chunk


class _Corners:
    """The first and the last column and row of a sheet that hold something."""

    def __init__(self) -> None:
        self._before = b""
        self._rows, self._columns = (1 << 20, 1), (1 << 15, 1)

    def look(self, chunk: bytes) -> None:
        """Look at more of the sheet's XML. Raises RequestError when its cells lie too far apart."""
        text = self._before + chunk
        self._before = text[-OVERLAP:]
        for match in CELL.finditer(text):
            row, column = int(match[2]), _column(match[1])
            self._rows = (min(self._rows[0], row), max(self._rows[1], row))
            self._columns = (min(self._columns[0], column), max(self._columns[1], column))
            area = (self._rows[1] - self._rows[0] + 1) * (self._columns[1] - self._columns[0] + 1)
            if area > AREA:
                cell = f"{match[1].decode()}{row}"
                raise RequestError("bad_file", f"cell {cell} lies too far from the others: remove it, or save as .csv")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number

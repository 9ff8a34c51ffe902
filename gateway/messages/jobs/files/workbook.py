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

ROW = rb"row\b(?:[^<>]{0,200}?\sr\s?=\s?[\"'](\d{1,7})[\"'])?"
"""The beginning of a row, with its number if it says one."""

CELL = rb"c\s[^<>]{0,200}?\br\s?=\s?[\"']([A-Z]{1,3})(\d{1,7})[\"'][^<>]{0,200}(?<!/)>"
"""The beginning of a cell that holds something, with its column and row."""

PLACE = re.compile(rb"<(?:\w{1,32}:)?(?:" + ROW + rb"|" + CELL + rb")")

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
    """Raise RequestError if the workbook unpacks to too much, or its cells lie too far apart or in others' places.

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
    """The first and the last column and row of a sheet that hold something, and what the row that is read has."""

    def __init__(self) -> None:
        self._before = b""
        self._rows, self._columns = (1 << 20, 1), (1 << 15, 1)
        self._row, self._last, self._in_row = 0, 0, set[int]()  # a row without a number is 0 until its first cell

    def look(self, chunk: bytes) -> None:
        """Look at more of the sheet's XML. Raises RequestError when its cells lie too far apart, or not in their row.

        The reader goes by what a cell says of its place, so that it would put a person's text into another's row.
        """
        text, seen = self._before + chunk, 0
        for match in PLACE.finditer(text):
            seen = match.end()
            number, letters, row = match.groups()
            if letters:
                self._add(int(row), _column(letters), f"cell {letters.decode()}{row.decode()}")
            else:
                self._in_row = set()
                self._begin(int(number or 0))
        self._before = text[max(seen, len(text) - OVERLAP) :]

    def _begin(self, row: int) -> None:
        if row and row <= self._last:
            raise RequestError("bad_file", f"row {row} comes after row {self._last}: save it anew, as .xlsx or .csv")
        self._row, self._last = row, row or self._last

    def _add(self, row: int, column: int, cell: str) -> None:
        if not self._row:
            self._begin(row)
        if row != self._row:
            raise RequestError("bad_file", f"{cell} stands in row {self._row}: save it anew, as .xlsx or .csv")
        if column in self._in_row:
            raise RequestError("bad_file", f"{cell} comes twice: save it anew, as .xlsx or .csv")
        self._in_row.add(column)
        self._rows = (min(self._rows[0], row), max(self._rows[1], row))
        self._columns = (min(self._columns[0], column), max(self._columns[1], column))
        area = (self._rows[1] - self._rows[0] + 1) * (self._columns[1] - self._columns[0] + 1)
        if area > AREA:
            raise RequestError("bad_file", f"{cell} lies too far from the others: remove it, or save as .csv")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number

"""Splits a CSV file into rows so that damage in one row never puts its text, or its people, into another.

A file in which every quote is where RFC 4180 wants it may have cells of several lines. In any other file each line is a
row of its own, or is refused: a quote that was lost or added cannot swallow the rows that follow.
Source: https://www.rfc-editor.org/rfc/rfc4180
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gateway.domain.api.request import RequestError

DECLARATION = re.compile(r'sep=([^"\r\n])\r?\n')
"""The first line of a file that tells Excel its separator."""

QUOTED = re.compile(r'"[^"]*"')
LINE = re.compile(r"([^\r\n]*+)(?:\r\n|\r|\n|\Z)")
RUSSIAN = re.compile(rb"[\xc0-\xff]{2}")
"""Two letters of Windows-1251 side by side. UTF-8 never has these bytes side by side."""

NOT_RUSSIAN = re.compile(rb"[^\x00-\x7f\xa8\xb8\xc0-\xff]|[A-Za-z][\xa8\xb8\xc0-\xff]|[\xa8\xb8\xc0-\xff][A-Za-z]")
"""A byte that is neither ASCII nor a Russian letter of Windows-1251, or is in a Latin word: the letters of Müller in
Windows-1252."""

FIRST_LINE = 64 * 1024
"""Characters in which the separator is looked for."""

INSIDE, UNCLOSED, PART, WIDE = (
    "a quote inside a cell has to be written twice",
    "a quote in it is not closed",
    "it may be a part of a row above, where a quote is not closed",
    "it has more cells than the first line",
)


class Line(NamedTuple):
    """A row of a file. number: the line on which it begins. problem: why its cells cannot be trusted, or ""."""

    number: int
    cells: Sequence[object]
    problem: str = ""


def csv_lines(raw: bytes) -> Iterator[Line]:
    """Yield the rows, split by the separator that the first line names, or else has most of. Raises RequestError."""
    text = decode(raw)
    first, declaration = text[:FIRST_LINE].lstrip().partition("\n")[0], DECLARATION.match(text)
    separator = declaration[1] if declaration else max(",;\t|", key=QUOTED.sub("", first).count)
    grammar = _Grammar(separator)
    lines = grammar.records(text) if grammar.fits(text) else grammar.lines(text)
    rows = (line for line in lines if not (declaration and line.number == 1))
    return _within_columns(rows, separator)


def _within_columns(lines: Iterator[Line], separator: str) -> Iterator[Line]:
    """Pass the rows on, and say which have more cells than the first: a line break or a separator has gone wrong.

    What such a row has too many is put into its last cell, so that nothing of it is lost.
    """
    columns = 0
    for line in lines:
        columns = columns or max((place for place, cell in enumerate(line.cells, 1) if cell), default=0)
        if any(line.cells[columns:]):
            last = separator.join(map(str, line.cells[columns - 1 :]))
            yield Line(line.number, [*line.cells[: columns - 1], last], line.problem or WIDE)
        else:
            yield line


def decode(raw: bytes) -> str:
    """Decode a file by the evidence of all of it, with U+FFFD for what cannot be read. Raises RequestError.

    One bad byte does not make Windows-1251 of a file in UTF-8: that needs more pairs of Russian letters than there are
    letters in UTF-8, or that nothing but Russian letters is in it besides ASCII, and none in a Latin word.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        if len(raw) % 2:
            raise RequestError("bad_file", "a byte is missing or too many: the file is UTF-16, of an odd size")
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        letters = raw.decode("utf-8", "ignore")
        pairs = sum(1 for _ in RUSSIAN.finditer(raw))
        in_utf8 = len(letters) - len(letters.encode("ascii", "ignore"))
        is_russian = pairs > in_utf8 or not (in_utf8 or NOT_RUSSIAN.search(raw))
        return raw.decode("cp1251" if is_russian else "utf-8-sig", "replace")


class _Grammar:
    """How cells and rows are told apart in a file with this separator. All patterns are linear."""

    def __init__(self, separator: str) -> None:
        end = re.escape(separator)
        quoted, plain = r'"(?:[^"]++|"")*+"', rf'[^"{end}\r\n]*+'
        self._separator = separator
        self._cell = re.compile(rf"({quoted}|{plain})({end}|\r\n|\r|\n|\Z)")
        self._file = re.compile(rf"(?:(?:{quoted}|{plain})(?:{end}|\r\n|\r|\n))*+(?:{quoted}|{plain})\Z")
        self._open = re.compile(r'"(?:[^"]++|"")*+\Z')
        self._closing = re.compile(rf'(?:[^"]++|"")*+"(?={end}|\r|\n|\Z)')

    def fits(self, text: str) -> bool:
        """Tell whether every quote of the text begins a cell, ends it, or is one of two inside."""
        return self._file.match(text) is not None

    def records(self, text: str) -> Iterator[Line]:
        """Yield the rows of a text that fits."""
        number, following, cells = 1, 1, list[str]()
        for match in self._cell.finditer(text):
            cells.append(_unquoted(match[1]))
            following += _breaks(match[0])
            if match[2] == self._separator:
                continue
            yield Line(number, cells)
            if not match[2]:
                return
            number, cells = following, []

    def lines(self, text: str) -> Iterator[Line]:
        """Yield each line of a text that does not fit as a row.

        A line with an odd quote may begin a cell of several lines. Where there is a quote that would close it, all
        lines up to that one may be parts of the cell, or rows: nobody knows, so they are refused.
        """
        doubtful = 0
        for number, match in enumerate(LINE.finditer(text), 1):
            cells, problem = self._row(match[1])
            in_doubt = match.start() < doubtful
            if problem and match[1].count('"') % 2:
                closed = self._closing.match(text, match.start() + match[1].rindex('"') + 1)
                doubtful = max(doubtful, closed.end() if closed else 0)
            yield Line(number, cells, problem or (PART if in_doubt else ""))

    def _row(self, line: str) -> tuple[list[str], str]:
        """Return the cells of a line by itself, and what is wrong with them."""
        cells, place, stray = list[str](), 0, False
        while True:
            match = self._cell.match(line, place)
            if not match and line[place] == '"':
                return line.split(self._separator), UNCLOSED if self._open.match(line, place) else INSIDE
            if match:
                cells.append(_unquoted(match[1]))
                place = match.end(1)
            else:  # a quote stands inside a cell that has none around it
                end = line.find(self._separator, place)
                cells.append(line[place : end if end >= 0 else len(line)])
                stray = stray or cells[-1].endswith('"')
                place += len(cells[-1])
            if place == len(line):
                return cells, UNCLOSED if stray and line.count('"') % 2 else ""
            place += 1


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _breaks(text: str) -> int:
    """Count the line breaks, of any of the three kinds."""
    return text.count("\n") + text.count("\r") - text.count("\r\n") if "\n" in text or "\r" in text else 0

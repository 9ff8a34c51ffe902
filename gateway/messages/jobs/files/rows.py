"""Reads the rows of a CSV or Excel file as destinations of a message, and says what is wrong with the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gateway.domain.api.request import RequestError
from gateway.domain.api.response import Fault
from gateway.domain.model.job import Row
from gateway.domain.terms.formulas import unmark
from gateway.domain.terms.hours import is_zone
from gateway.messages.jobs.files.cells import UNREADABLE, text_of
from gateway.messages.jobs.files.csv_file import Line, csv_lines
from gateway.messages.jobs.files.headings import ADDRESSES, HEADINGS, Column, are_marked, check_columns, read_headings
from gateway.messages.jobs.files.repetitions import Repetitions
from gateway.messages.jobs.files.workbook import workbook_lines
from gateway.people.spelling import check_identifier, check_value, normal_email, normal_phone

MOST = 100_000
"""Rows of one file, at most."""

LINES = 1_048_576
"""Lines of one file, with the empty ones, at most: the rows of a sheet."""

LONGEST = 8192
"""Bytes of one row as JSON, at most."""


class Refused(Struct, frozen=True):
    """A row that becomes no message. cells: field or variable -> text, cut to LONGEST characters in all."""

    fault: Fault
    cells: dict[str, str]


class Columns(Struct, frozen=True):
    """names: heading -> the field or variable that it names."""

    names: dict[str, str]


class Terms(Struct, frozen=True):
    """What a file is read for.

    region: the country of phone numbers without one. variables: those that every row needs a value for.
    once: whether a person who is in several rows gets one message all the same. names: what a heading means (a field, a
    variable, or "" for nothing), where somebody has said so.
    """

    region: str
    variables: frozenset[str] = frozenset()
    most: int = MOST
    once: bool = False
    names: dict[str, str] = {}


Item = Columns | Row | Refused | Fault
"""What a file consists of: its columns, then its rows. A Fault is a warning about the row before it."""


def read_rows(raw: bytes, terms: Terms) -> Iterator[Item]:
    """Read a file, recognised by its first bytes. Raises RequestError for the file as a whole."""
    lines = workbook_lines(raw) if raw.startswith(b"PK") else csv_lines(raw)
    filled = (line for line in _bounded(lines) if any(map(text_of, line.cells)))
    first = next(filled, None)
    if first is None:
        raise RequestError("bad_file", "the file is empty")
    table = _Table(read_headings(first, terms.names), terms)
    yield Columns(dict(table.columns))
    check_columns(table.columns, terms.variables)
    for count, line in enumerate(filled):
        if count >= terms.most:
            raise RequestError("too_many", f"a file has at most {terms.most} rows")
        yield from table.read(line)


def _bounded(lines: Iterator[Line]) -> Iterator[Line]:
    """Pass the lines on. Raises RequestError where there are too many: also the empty ones take time."""
    for count, line in enumerate(lines):
        if count >= LINES:
            raise RequestError("too_many", f"a file has at most {LINES} lines, with those that are empty")
        yield line


class _Table:
    """The columns of a file, and how its lines are read by them."""

    def __init__(self, columns: Sequence[Column], terms: Terms) -> None:
        self.columns, self._terms = columns, terms
        self._repetitions = Repetitions(ADDRESSES)
        is_marked = are_marked([column.heading for column in columns])
        self._text_of: Callable[[object], str] = (lambda cell: unmark(text_of(cell))) if is_marked else text_of

    def read(self, line: Line) -> Iterator[Row | Refused | Fault]:
        """Yield the row, or why it is refused; and a warning if the person was meant before."""
        texts = zip(self.columns, map(self._text_of, line.cells), strict=False)
        cells = {column.name: text for column, text in texts if column.name and text}
        try:
            destination = self._destination(line, cells)
        except _Wrong as wrong:
            yield Refused(Fault(row=line.number, column=self._heading(wrong.name), message=wrong.message), _cut(cells))
            return
        yield Row(line.number, destination)
        if before := self._repetitions.person(line.number, destination):
            name, row = before
            result = "they get one message" if self._terms.once else "both get a message"
            message = f"row {row} is for the same person: {result}"
            yield Fault(row=line.number, column=self._heading(name), message=message)

    def _destination(self, line: Line, cells: Mapping[str, str]) -> dict[str, Any]:
        """Return the destination that these cells name, unless a row before has the same. Raises _Wrong."""
        if line.problem:
            raise _Wrong("", line.problem)
        if damaged := next((name for name, text in cells.items() if UNREADABLE in text), None):
            raise _Wrong(damaged, "some of its characters are damaged")
        destination = self._read(cells)
        if len(msgspec.json.encode(destination)) > LONGEST:
            raise _Wrong("", f"it is too long: at most {LONGEST} bytes")
        if same := self._repetitions.same(line.number, destination):
            raise _Wrong("", f"it is the same as row {same}")
        return destination

    def _read(self, cells: Mapping[str, str]) -> dict[str, Any]:
        variables = self._terms.variables
        fields = {name: cells[name] for name in HEADINGS if name in cells}
        values = {name: text for name, text in cells.items() if name not in HEADINGS or name in variables}
        if not any(name in fields for name in ADDRESSES):
            raise _Wrong("", "nothing says who is meant")
        if "timezone" in fields and not is_zone(fields["timezone"]):
            raise _Wrong("timezone", "a time zone is named as in Europe/Moscow")
        if missing := sorted(variables - values.keys()):
            raise _Wrong(missing[0], "it is empty")
        return {**self._identifiers(fields), "variables": values}

    def _identifiers(self, fields: dict[str, str]) -> dict[str, str]:
        for name in _FORMS.keys() & fields.keys():
            try:
                fields[name] = _FORMS[name](fields[name], self._terms.region)
            except RequestError as error:
                raise _Wrong(name, error.message) from None
        return fields

    def _heading(self, name: str) -> str:
        return next((column.heading for column in self.columns if name and column.name == name), "")


class _Wrong(Exception):
    """A row is refused. name: the field or variable that is wrong, or "" for the row as a whole."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name, self.message = name, message


def _cut(cells: Mapping[str, str]) -> dict[str, str]:
    """Return the cells with at most LONGEST characters in all, and a share for each."""
    if sum(map(len, cells.values())) <= LONGEST:
        return dict(cells)
    share = LONGEST // len(cells)
    return {name: text if len(text) <= share else f"{text[:share]}..." for name, text in cells.items()}


def _phone(text: str, region: str) -> str:
    """Read a phone number as people write it, also without the plus, which spreadsheets remove."""
    try:
        return normal_phone(text, region)
    except RequestError:
        if not text.isdigit():
            raise
        return normal_phone(f"+{text}", region)


_FORMS: Mapping[str, Callable[[str, str], str]] = {
    "phone": _phone,
    "email": normal_email,
    "externalId": lambda text, _: check_value("externalId", text),
    "device": lambda text, _: check_value("device", text),
    "identifier": lambda text, _: check_identifier(text),
}
"""How a column's identifier is checked, and brought into its one form where its kind has one."""

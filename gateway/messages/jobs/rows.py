"""Rows of a file, CSV or Excel, as destinations of a message: the good ones, and what is wrong with the others."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

from gateway.domain.api.request import RequestError
from gateway.domain.api.response import View
from gateway.domain.model.hours import is_zone
from gateway.domain.model.job import Row
from gateway.people.recipients import normal_phone

MOST = 100_000
"""Rows of one file."""

LARGEST = 64 * 1024 * 1024
"""Bytes of a workbook when it is unpacked."""

LONGEST = 8192
"""Bytes of one row, as JSON."""

HEADINGS = {
    "phone": ("phone", "phone number", "mobile", "tel", "телефон", "номер", "номер телефона", "мобильный", "тел"),
    "externalId": ("externalid", "external id", "id", "внешний id", "внешний код", "код клиента", "ид"),
    "contactId": ("contactid", "contact id", "contact", "id контакта", "контакт"),
    "chatSessionId": ("chatsessionid", "chat session id", "session", "id сессии", "сессия"),
    "timezone": ("timezone", "time zone", "tz", "часовой пояс", "таймзона"),
}
"""What a column of one of these headings means, in any case; every other column is a variable of its own name."""

SEPARATOR = re.compile(r"sep=(.)\r?\n")
"""The first line of a file that is to be opened by Excel."""

QUOTED = re.compile(r'"[^"]*"')
ADDRESSES = ("phone", "externalId", "contactId", "chatSessionId")
FIELDS = {heading: name for name, headings in HEADINGS.items() for heading in headings}
Cells = Sequence[object]


class Fault(View):
    """What is wrong with a row. column: its heading, or "" where it is the row as a whole."""

    row: int
    column: str
    message: str


@dataclass(frozen=True)
class Table:
    """columns: what each heading was taken for."""

    columns: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_table(raw: bytes, region: str, wanted: frozenset[str], most: int = MOST) -> Table:
    """A file's rows. wanted: variables that each needs a value for. Raises RequestError for the file as a whole.

    Workbooks are known by their first bytes. It takes a while: not for the event loop.
    """
    lines = _workbook(raw) if raw.startswith(b"PK") else _csv(raw)
    filled = ((number, cells) for number, cells in lines if any(_text(cell) for cell in cells))
    _, headings = next(filled, (0, ()))
    table = Table(_columns([_text(cell) for cell in headings], wanted))
    names = list(table.columns.items())
    for number, cells in filled:
        if len(table.rows) + len(table.faults) >= most:
            raise RequestError("too_many", f"a file has at most {most} rows")
        row = _row(number, dict(zip(names, map(_text, cells), strict=False)), region, wanted)
        if isinstance(row, Row):
            table.rows.append(row)
        else:
            table.faults.append(row)
    return table


def _columns(headings: Sequence[str], wanted: frozenset[str]) -> dict[str, str]:
    columns = {heading: FIELDS.get(heading.casefold(), heading) for heading in headings if heading}
    meant = [FIELDS.get(heading.casefold(), heading) for heading in headings if heading]
    if twice := next((name for name in meant if meant.count(name) > 1), None):
        raise RequestError("bad_file", f"two columns mean the same: {twice}", twice)
    if list(headings[: len(columns)]) != list(columns):
        raise RequestError("bad_file", "a column in the first line has no heading")
    if not any(name in meant for name in ADDRESSES):
        raise RequestError(
            "bad_file", "no column says who is meant: its first line needs phone, externalId or the like"
        )
    if missing := sorted(wanted - set(meant)):
        raise RequestError("missing_column", f"the message needs a column {missing[0]}", missing[0])
    return columns


def _row(number: int, given: Mapping[tuple[str, str], str], region: str, wanted: frozenset[str]) -> Row | Fault:
    """`given`: the texts by heading and what it was taken for."""
    heading = {name: told for told, name in given}
    values = {name: text for (_, name), text in given.items() if text}
    named = {name: values.pop(name) for name in HEADINGS if name in values}
    if not any(name in named for name in ADDRESSES):
        return Fault(row=number, column="", message="nothing says who is meant")
    if "timezone" in named and not is_zone(named["timezone"]):
        return Fault(row=number, column=heading["timezone"], message="a time zone is named as in Europe/Moscow")
    if missing := sorted(wanted - values.keys()):
        return Fault(row=number, column=missing[0], message="it is empty")
    if "phone" in named:
        try:
            named["phone"] = _phone(named["phone"], region)
        except RequestError as error:
            return Fault(row=number, column=heading["phone"], message=error.message)
    row = Row(number, {**named, "variables": values})
    if len(msgspec.json.encode(row)) > LONGEST:
        return Fault(row=number, column="", message=f"it is too long: at most {LONGEST} bytes")
    return row


def _phone(text: str, region: str) -> str:
    """A number as people write it; a spreadsheet takes the plus away."""
    try:
        return normal_phone(text, region)
    except RequestError:
        if not text.isdigit():
            raise
        return normal_phone(f"+{text}", region)


def _text(cell: object) -> str:
    match cell:
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
    return str(cell).strip().replace("\0", "")


def _csv(raw: bytes) -> Iterator[tuple[int, Cells]]:
    """Lines of it; separated by what the first line has most of, or says itself."""
    text = _decoded(raw)
    first, named = text.lstrip().partition("\n")[0], SEPARATOR.match(text)
    separator = named[1] if named else max(",;\t|", key=QUOTED.sub("", first).count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in reader:
            if not (named and reader.line_num == 1):
                yield reader.line_num, cells
    except csv.Error as error:
        raise RequestError("bad_file", f"line {reader.line_num}: {error}") from None


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1251", "replace")  # what Excel writes in Russia


def _workbook(raw: bytes) -> Iterable[tuple[int, Cells]]:
    """Lines of its first sheet."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > LARGEST:
            raise RequestError("bad_file", f"the workbook is too large: at most {LARGEST} bytes unpacked")
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0)
        return list(enumerate(sheet.to_python(skip_empty_area=False), 1))
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError, IndexError):
        raise RequestError("bad_file", "this is no workbook that can be read: save it as .xlsx or .csv") from None

"""Reads the rows of a CSV or Excel file as destinations of a message, and reports what is wrong with the others."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

import msgspec
from python_calamine import CalamineError, CalamineWorkbook

from gateway.domain.api.request import RequestError
from gateway.domain.api.response import View
from gateway.domain.model.job import Row
from gateway.domain.terms.hours import is_zone
from gateway.people.spelling import check_identifier, check_value, normal_email, normal_phone

MOST = 100_000
"""Rows of one file, at most."""

LARGEST = 64 * 1024 * 1024
"""Bytes of an unpacked workbook, at most."""

LONGEST = 8192
"""Bytes of one row as JSON, at most."""

HEADINGS = {
    "phone": ("phone", "phone number", "mobile", "tel", "телефон", "номер", "номер телефона", "мобильный", "тел"),
    "externalId": ("externalid", "external id", "id", "внешний id", "внешний код", "код клиента", "ид"),
    "email": ("email", "e-mail", "mail", "почта", "эл. почта", "электронная почта"),
    "device": ("device", "устройство"),
    "identifier": ("identifier", "идентификатор"),
    "contactId": ("contactid", "contact id", "contact", "id контакта", "контакт"),
    "chatSessionId": ("chatsessionid", "chat session id", "session", "id сессии", "сессия"),
    "timezone": ("timezone", "time zone", "tz", "часовой пояс", "таймзона"),
}
"""What a column of one of these headings means, in any case; every other column is a variable of its own name."""

SEPARATOR = re.compile(r"sep=(.)\r?\n")
"""The first line of a file that tells Excel its separator."""

QUOTED = re.compile(r'"[^"]*"')
ADDRESSES = ("phone", "email", "externalId", "device", "identifier", "contactId", "chatSessionId")
FIELDS = {heading: name for name, headings in HEADINGS.items() for heading in headings}
Cells = Sequence[object]


class Fault(View):
    """A mistake in a row. column: the heading of its column, or "" for the row as a whole."""

    row: int
    column: str
    message: str


@dataclass(frozen=True)
class Table:
    """The contents of a file. columns: heading -> the field or variable that it names."""

    columns: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_table(raw: bytes, region: str, variables: frozenset[str], most: int = MOST) -> Table:
    """Read a file of at most `most` rows. Raises RequestError for the file as a whole.

    region: the country of phone numbers without one. variables: those that every row needs a value for. Workbooks are
    recognised by their first bytes. Reading takes too long for the event loop.
    """
    lines = _workbook(raw) if raw.startswith(b"PK") else _csv(raw)
    filled = ((number, cells) for number, cells in lines if any(_text(cell) for cell in cells))
    _, headings = next(filled, (0, ()))
    table = Table(_columns([_text(cell) for cell in headings], variables))
    names = list(table.columns.items())
    for number, cells in filled:
        if len(table.rows) + len(table.faults) >= most:
            raise RequestError("too_many", f"a file has at most {most} rows")
        row = _row(number, dict(zip(names, map(_text, cells), strict=False)), region, variables)
        if isinstance(row, Row):
            table.rows.append(row)
        else:
            table.faults.append(row)
    return table


def _columns(headings: Sequence[str], variables: frozenset[str]) -> dict[str, str]:
    columns = {heading: FIELDS.get(heading.casefold(), heading) for heading in headings if heading}
    names = [FIELDS.get(heading.casefold(), heading) for heading in headings if heading]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise RequestError("bad_file", f"two columns mean the same: {duplicate}", duplicate)
    if list(headings[: len(columns)]) != list(columns):
        raise RequestError("bad_file", "a column in the first line has no heading")
    if not any(name in names for name in ADDRESSES):
        raise RequestError(
            "bad_file", "no column says who is meant: its first line needs phone, externalId or the like"
        )
    if missing := sorted(variables - set(names)):
        raise RequestError("missing_column", f"the message needs a column {missing[0]}", missing[0])
    return columns


def _row(number: int, cells: Mapping[tuple[str, str], str], region: str, variables: frozenset[str]) -> Row | Fault:
    """Read a row. cells: (heading, name of its field or variable) -> text."""
    headings = {name: heading for heading, name in cells}
    texts = {name: text for (_, name), text in cells.items() if text}
    fields = {name: texts[name] for name in HEADINGS if name in texts}
    values = {name: text for name, text in texts.items() if name not in HEADINGS or name in variables}
    if not any(name in fields for name in ADDRESSES):
        return Fault(row=number, column="", message="nothing says who is meant")
    if "timezone" in fields and not is_zone(fields["timezone"]):
        return Fault(row=number, column=headings["timezone"], message="a time zone is named as in Europe/Moscow")
    if missing := sorted(variables - values.keys()):
        return Fault(row=number, column=missing[0], message="it is empty")
    for name in _FORMS.keys() & fields.keys():
        try:
            fields[name] = _FORMS[name](fields[name], region)
        except RequestError as error:
            return Fault(row=number, column=headings[name], message=error.message)
    row = Row(number, {**fields, "variables": values})
    if len(msgspec.json.encode(row)) > LONGEST:
        return Fault(row=number, column="", message=f"it is too long: at most {LONGEST} bytes")
    return row


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
    """Yield lines, split by the separator that the first line names, or else has most of."""
    text = _decode(raw)
    first, declaration = text.lstrip().partition("\n")[0], SEPARATOR.match(text)
    separator = declaration[1] if declaration else max(",;\t|", key=QUOTED.sub("", first).count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in reader:
            if not (declaration and reader.line_num == 1):
                yield reader.line_num, cells
    except csv.Error as error:
        raise RequestError("bad_file", f"line {reader.line_num}: {error}") from None


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1251", "replace")  # what Excel writes in Russia


def _workbook(raw: bytes) -> Iterable[tuple[int, Cells]]:
    """Return the lines of the workbook's first sheet."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > LARGEST:
            raise RequestError("bad_file", f"the workbook is too large: at most {LARGEST} bytes unpacked")
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0)
        return list(enumerate(sheet.to_python(skip_empty_area=False), 1))
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError, IndexError):
        raise RequestError("bad_file", "this is no workbook that can be read: save it as .xlsx or .csv") from None

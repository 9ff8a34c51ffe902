"""Tests the reading of rows from the files that spreadsheets write and people fill in."""

import io
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.api.request import RequestError
from gateway.domain.api.response import Fault
from gateway.domain.model.job import Row
from gateway.messages.jobs.files import headings, rows
from gateway.messages.jobs.files.cells import text_of
from gateway.messages.jobs.files.rows import Columns, Refused, Terms, read_rows
from tests.support.jobs import table as written


@dataclass
class Table:
    """What was read of a file."""

    columns: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    @property
    def faults(self) -> list[Fault]:
        return [refused.fault for refused in self.refused]


def parse(raw: bytes, *variables: str, most: int = rows.MOST) -> Table:
    table = Table()
    for item in read_rows(raw, Terms("RU", frozenset(variables), most)):
        match item:
            case Columns():
                table.columns = item.names
            case Row():
                table.rows.append(item)
            case Refused():
                table.refused.append(item)
            case Fault():
                table.warnings.append(item)
    return table


def book_of(*lines: list[Any], first: int = 0) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("people")
    for number, cells in enumerate(lines, first):
        sheet.write_row(number, 0, cells)
    book.close()
    return file.getvalue()


def destinations(parsed_table: Table) -> list[dict[str, Any]]:
    return [row.destination for row in parsed_table.rows]


ANNA = {"phone": "+79000000001", "externalId": "17", "timezone": "Asia/Omsk", "variables": {"name": "Анна"}}
LINES = [["Телефон", "внешний ID", "часовой пояс", "name"], ["8 (900) 000-00-01", "17", "Asia/Omsk", "Анна"]]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_csv_as_spreadsheets_write_it(separator: str, encoding: str) -> None:
    parsed_table = parse(written(*LINES, separator=separator).decode().encode(encoding), "name")
    assert destinations(parsed_table) == [ANNA]
    assert parsed_table.columns == {
        "Телефон": "phone",
        "внешний ID": "externalId",
        "часовой пояс": "timezone",
        "name": "name",
    }


@pytest.mark.parametrize("name", ["Я", "я-я", "ё", "А. Б."])
def test_letters_that_stand_alone_in_windows_1251_are_read(name: str) -> None:
    raw = f"phone;name\n+79000000001;{name}\n".encode("cp1251")
    assert destinations(parse(raw)) == [{"phone": "+79000000001", "variables": {"name": name}}]


@pytest.mark.parametrize("name", ["Müller", "José", "Ångström"])
def test_letters_of_latin_words_are_not_read_as_russian_ones(name: str) -> None:
    raw = f"phone;name\n+79000000001;{name}\n".encode("cp1252")
    refused = parse(raw).faults
    assert [fault.column for fault in refused] == ["name"]


def test_a_workbook() -> None:
    """In a workbook numbers and dates are no texts, and a phone number has lost its plus."""
    parsed_table = parse(
        book_of(["phone", "sum", "on"], [79000000001, 12.5, date(2026, 11, 24)], [998901234567, 3, ""])
    )
    assert destinations(parsed_table) == [
        {"phone": "+79000000001", "variables": {"sum": "12.5", "on": "2026-11-24"}},
        {"phone": "+998901234567", "variables": {"sum": "3"}},
    ]


@pytest.mark.parametrize("heading", ["phone", "Phone number", "ТЕЛЕФОН", " номер "])
def test_headings_in_any_case_of_two_languages(heading: str) -> None:
    assert destinations(parse(written([heading], ["+79000000001"]))) == [{"phone": "+79000000001", "variables": {}}]


def test_bad_rows_are_told_by_row_and_column_and_good_ones_are_kept() -> None:
    lines = [
        ["phone", "timezone", "name"],
        ["+79000000001", "", "Anna"],
        ["12", "", "Boris"],
        ["", "", "Vera"],
        [],
        ["+79000000002", "Mars", "Gleb"],
        ["+79000000003", "", ""],
        ["+79000000004", "", "x" * 9000],
        ["+79000000005", "", "Dina"],
    ]
    parsed_table = parse(written(*lines), "name")
    assert [row.line for row in parsed_table.rows] == [2, 9]
    assert [(fault.row, fault.column) for fault in parsed_table.faults] == [
        (3, "phone"),
        (4, ""),
        (6, "timezone"),
        (7, "name"),
        (8, ""),
    ]


@pytest.mark.parametrize(
    ("column", "text"),
    [("identifier", "noidea"), ("identifier", "loft:"), ("externalId", "x" * 257), ("device", "x" * 4097)],
)
def test_an_identifier_without_its_form_is_that_rows_fault(column: str, text: str) -> None:
    parsed_table = parse(written(["phone", column], ["+79000000001", ""], ["+79000000002", text], ["+79000000003", ""]))
    assert [row.line for row in parsed_table.rows] == [2, 4]
    assert [(fault.row, fault.column) for fault in parsed_table.faults] == [(3, column)]


def test_lines_are_counted_as_the_spreadsheet_does() -> None:
    parsed_table = parse(book_of(["phone"], ["+79000000001"], ["1"], first=4))
    assert ([row.line for row in parsed_table.rows], [fault.row for fault in parsed_table.faults]) == ([6], [7])


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (b"", "bad_file", ""),
        (b"\r\n;;\r\n", "bad_file", ""),
        (b"name\nAnna\n", "bad_file", "recipient"),
        (b"phone,phone\n1,2\n", "bad_file", "phone"),
        ("phone,телефон\n1,2\n".encode(), "bad_file", "phone"),
        (b"phone,,name\n1,2,3\n", "bad_file", ""),
        (b"phone\n+79000000001\n", "missing_column", "order"),
        (b"phone," + b",".join(b"c%d" % number for number in range(40_000)) + b"\n", "too_many", ""),
        (b"phone," + b"c" * 201 + b"\n", "bad_file", ""),
        (b"PK\x03\x04 and no more", "bad_file", ""),
        (b"\x00" * 100, "bad_file", ""),
    ],
)
def test_what_is_no_table(raw: bytes, code: str, field: str) -> None:
    with pytest.raises(RequestError) as error:
        parse(raw, "order")
    assert (error.value.code, error.value.field) == (code, field)


@pytest.mark.parametrize(
    "raw",
    [b"sep=;\nphone;order, if any\n+79000000001;A\n", b'"phone";"order, if any"\n+79000000001;A\n'],
)
def test_what_separates_is_told_or_seen(raw: bytes) -> None:
    assert list(parse(raw).columns.values()) == ["phone", "order, if any"]


NOT_THERE = ["", " ", "NULL", "null", "nan", "NaN", "None", "#N/A", "#Н/Д", "#REF!", "#ДЕЛ/0!", "<NA>"]


@pytest.mark.parametrize("nothing", NOT_THERE)
def test_what_programs_write_for_nothing_is_nothing(nothing: str) -> None:
    lines = [["phone", "name", "note"], ["+79000000001", "Anna", nothing], ["+79000000002", nothing, "x"]]
    for raw in (written(*lines), book_of(*lines)):
        parsed_table = parse(raw, "name")
        assert destinations(parsed_table) == [{"phone": "+79000000001", "variables": {"name": "Anna"}}]
        assert [(fault.row, fault.column) for fault in parsed_table.faults] == [(3, "name")]


def test_a_surname_that_looks_like_nothing_is_a_surname() -> None:
    parsed_table = parse(written(["phone", "name"], ["+79000000001", "Null"]), "name")
    assert destinations(parsed_table)[0]["variables"] == {"name": "Null"}


CELLS: list[tuple[Any, str]] = [
    (datetime(2026, 11, 24, tzinfo=UTC).replace(tzinfo=None), "2026-11-24"),
    (datetime(2026, 11, 24, 15, 30, tzinfo=UTC).replace(tzinfo=None), "2026-11-24 15:30"),
    (datetime(2026, 11, 24, 15, 30, 5, tzinfo=UTC).replace(tzinfo=None), "2026-11-24 15:30:05"),
    (date(2026, 11, 24), "2026-11-24"),
    (time(9, 30), "09:30"),
    (timedelta(hours=36, minutes=5), "36:05"),
    (0.1 + 0.2, "0.3"),
    (1250.0, "1250"),
    (12.5, "12.5"),
    (True, "true"),
    ("'=1+1", "'=1+1"),
]


@pytest.mark.parametrize(("cell", "text"), CELLS)
def test_cells_are_read_as_a_person_reads_them(cell: Any, text: str) -> None:
    assert text_of(cell) == text


def test_a_moment_of_a_workbook_has_no_letters_in_it() -> None:
    moment, midnight = (datetime(2026, 11, 24, hour, 30 * bool(hour)) for hour in (15, 0))  # noqa: DTZ001
    parsed_table = parse(book_of(["phone", "at", "on"], ["+79000000001", moment, midnight]))
    assert destinations(parsed_table)[0]["variables"] == {"at": "2026-11-24 15:30", "on": "2026-11-24"}


def test_a_row_that_says_the_same_is_refused_and_another_for_the_same_person_is_warned_of() -> None:
    lines = [
        ["phone", "externalId", "name"],
        ["+79000000001", "a", "Anna"],
        ["8 900 000 00 01", "a", "Anna"],
        ["+79000000001", "", "Boris"],
        ["+79000000002", "a", "Vera"],
        ["+79000000003", "c", "Anna"],
    ]
    parsed_table = parse(written(*lines))
    assert [row.line for row in parsed_table.rows] == [2, 4, 5, 6]
    assert [(fault.row, fault.column, fault.message) for fault in parsed_table.faults] == [
        (3, "", "it is the same as row 2")
    ]
    assert [(fault.row, fault.column) for fault in parsed_table.warnings] == [(4, "phone"), (5, "externalId")]
    assert parsed_table.warnings[0].message == "row 2 is for the same person: both get a message"


def test_a_job_in_which_everybody_gets_one_message_says_so_of_a_person_who_comes_twice() -> None:
    lines = written(["phone", "name"], ["+79000000001", "Anna"], ["+79000000001", "Boris"])
    (warning,) = (item for item in read_rows(lines, Terms("RU", once=True)) if isinstance(item, Fault))
    assert warning.message == "row 2 is for the same person: they get one message"


def test_a_refused_row_keeps_its_cells_as_far_as_they_fit() -> None:
    lines = [["phone", "name", "note"], ["12", "Boris", "x"], ["+79000000001", "Anna", "y" * 20_000]]
    short, long = parse(written(*lines)).refused
    assert short.cells == {"phone": "12", "name": "Boris", "note": "x"}
    assert (long.cells["phone"], long.cells["name"]) == ("+79000000001", "Anna")
    assert sum(map(len, long.cells.values())) <= rows.LONGEST


def test_what_an_export_of_refused_rows_adds_is_passed_over() -> None:
    lines = [[headings.REFUSED_ROW, headings.REFUSED_WHY, "phone"], ["7", "no number", "+79000000001"]]
    assert destinations(parse(written(*lines))) == [{"phone": "+79000000001", "variables": {}}]


def test_empty_lines_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LINES", 1000)
    assert len(parse(b"phone\n+79000000001" + b"\n" * 998).rows) == 1
    with pytest.raises(RequestError, match="at most 1000 lines"):
        parse(b"phone\n+79000000001" + b"\n" * 1000)


def test_too_many_rows() -> None:
    with pytest.raises(RequestError, match="at most 2 rows"):
        parse(written(["phone"], *[["+79000000001"]] * 3), most=2)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(), st.text().map(str.encode)), st.integers(0, 3000), st.binary(max_size=8))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int, change: bytes) -> None:
    """The input is arbitrary bytes, and workbooks with some bytes changed."""
    book = BOOK[:at] + change + BOOK[at + len(change) :]
    for raw in (noise, b"phone\n" + noise, book):
        try:
            parsed_table = parse(raw)
        except RequestError:
            continue
        assert all(isinstance(fault, Fault) and fault.row > 0 for fault in parsed_table.faults)


BOOK = book_of(["phone", "name"], ["+79000000001", "Anna"])

"""Tests the reading of rows from the files that spreadsheets write and people fill in."""

import io
import zipfile
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.api.request import RequestError
from gateway.messages.jobs import rows
from gateway.messages.jobs.rows import Fault, Table, read_table
from tests.support.jobs import table

NONE: frozenset[str] = frozenset()


def parse(raw: bytes, *variables: str, most: int = rows.MOST) -> Table:
    return read_table(raw, "RU", frozenset(variables), most)


def workbook(*lines: list[Any], first: int = 0) -> bytes:
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
    parsed_table = parse(table(*LINES, separator=separator).decode().encode(encoding), "name")
    assert destinations(parsed_table) == [ANNA]
    assert parsed_table.columns == {
        "Телефон": "phone",
        "внешний ID": "externalId",
        "часовой пояс": "timezone",
        "name": "name",
    }


def test_a_workbook() -> None:
    """In a workbook numbers and dates are no texts, and a phone number has lost its plus."""
    parsed_table = parse(
        workbook(["phone", "sum", "on"], [79000000001, 12.5, date(2026, 11, 24)], [998901234567, 3, ""])
    )
    assert destinations(parsed_table) == [
        {"phone": "+79000000001", "variables": {"sum": "12.5", "on": "2026-11-24"}},
        {"phone": "+998901234567", "variables": {"sum": "3"}},
    ]


@pytest.mark.parametrize("heading", ["phone", "Phone number", "ТЕЛЕФОН", " номер "])
def test_headings_in_any_case_of_two_languages(heading: str) -> None:
    assert destinations(parse(table([heading], ["+79000000001"]))) == [{"phone": "+79000000001", "variables": {}}]


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
    parsed_table = parse(table(*lines), "name")
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
    parsed_table = parse(table(["phone", column], ["+79000000001", ""], ["+79000000002", text], ["+79000000003", ""]))
    assert [row.line for row in parsed_table.rows] == [2, 4]
    assert [(fault.row, fault.column) for fault in parsed_table.faults] == [(3, column)]


def test_lines_are_counted_as_the_spreadsheet_does() -> None:
    parsed_table = parse(workbook(["phone"], ["+79000000001"], ["1"], first=4))
    assert ([row.line for row in parsed_table.rows], [fault.row for fault in parsed_table.faults]) == ([6], [7])


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (b"", "bad_file", ""),
        (b"name\nAnna\n", "bad_file", ""),
        (b"phone,phone\n1,2\n", "bad_file", "phone"),
        ("phone,телефон\n1,2\n".encode(), "bad_file", "phone"),
        (b"phone,,name\n1,2,3\n", "bad_file", ""),
        (b"phone\n+79000000001\n", "missing_column", "order"),
        (b'phone,order\n"' + b"a" * 140_000, "bad_file", ""),
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


def test_a_workbook_that_unpacks_to_too_much() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (rows.LARGEST + 1))
    with pytest.raises(RequestError, match="too large"):
        parse(file.getvalue())


def test_too_many_rows() -> None:
    with pytest.raises(RequestError, match="at most 2 rows"):
        parse(table(["phone"], *[["+79000000001"]] * 3), most=2)


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


BOOK = workbook(["phone", "name"], ["+79000000001", "Anna"])

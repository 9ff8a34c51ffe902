"""Tests that a damaged file says so: no row's text comes to anybody else, and no row is lost unseen."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.api.request import RequestError
from gateway.domain.model.job import Row
from gateway.messages.jobs.files.rows import Item, Refused, Terms, read_rows

WORDS = ("Анна", "Борис", 'ООО "Ромашка"', '5" screen', "; dear", "", "и тут\nновая строка", '"', "a,b", "x\r\ny", '""')
ENCODINGS = ("utf-8", "utf-8-sig", "cp1251", "utf-16")
QUOTE = ord('"')

texts = st.lists(st.sampled_from(WORDS), max_size=3)
"""What stands in a cell besides the mark of its row."""

characters = st.one_of(st.just(QUOTE), st.integers(0, 255).filter(lambda byte: byte not in b"0123456789"))
"""What comes in place of a byte: no digit, which would make the mark of another row of a mark."""

damages = st.one_of(
    st.tuples(st.sampled_from(["replace", "insert"]), characters),
    st.tuples(st.just("delete"), st.just(0)),
)


def phone(number: int) -> str:
    return f"+790000000{number:02}"


def written(rows: list[tuple[list[str], list[str]]], separator: str, end: str, *, quotes: bool) -> str:
    """Write a table in which every cell of row N holds the mark [N], or N's phone number."""
    file = io.StringIO()
    writer = csv.writer(
        file, delimiter=separator, quoting=csv.QUOTE_ALL if quotes else csv.QUOTE_MINIMAL, lineterminator=end
    )
    writer.writerow(["телефон", "имя", "text"])
    for number, (name, text) in enumerate(rows):
        mark = f"[{number}]"
        writer.writerow([phone(number), "".join(name) + mark, mark + " ".join(text) + mark])
    return file.getvalue()


def marks(text: str) -> set[int]:
    """Return the rows whose cells these are parts of."""
    return {int(mark) for mark in re.findall(r"\[(\d+)\]", text)} | {
        int(number) for number in re.findall(r"\+790000000(\d\d)", text)
    }


def damaged(raw: bytes, place: int, how: str, byte: int) -> bytes:
    place %= len(raw)
    match how:
        case "replace":
            return raw[:place] + bytes([byte]) + raw[place + 1 :]
        case "insert":
            return raw[:place] + bytes([byte]) + raw[place:]
    return raw[:place] + raw[place + 1 :]


def text_of_item(item: Item) -> str:
    match item:
        case Row():
            return " ".join([str(item.destination.get("phone")), *item.destination["variables"].values()])
        case Refused():
            return " ".join(item.cells.values())
    return ""


@settings(max_examples=400, deadline=None)
@given(
    rows=st.lists(st.tuples(texts, texts), min_size=2, max_size=6),
    separator=st.sampled_from(",;\t"),
    quotes=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(ENCODINGS),
    place=st.integers(0, 2000),
    damage=damages,
)
def test_one_damaged_byte_never_moves_a_rows_text_into_another(
    rows: list[tuple[list[str], list[str]]],
    separator: str,
    end: str,
    quotes: bool,  # noqa: FBT001 - hypothesis' parameter
    encoding: str,
    place: int,
    damage: tuple[str, int],
) -> None:
    whole = written(rows, separator, end, quotes=quotes)
    raw = whole.encode(encoding)
    first = len(whole[: whole.index(end)].encode(encoding)) + 2 * len(end)
    try:
        items = list(read_rows(damaged(raw, place, *damage), Terms("RU", frozenset({"имя", "text"}))))
    except RequestError:
        assert encoding == "utf-16" or place % len(raw) < first
        return
    for item in items:
        assert not isinstance(item, Row) or len(marks(text_of_item(item))) == 1, item
    if place % len(raw) >= first and encoding != "utf-16":
        found = set[int]().union(*(marks(text_of_item(item)) for item in items))
        assert found == set(range(len(rows)))


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(texts, texts), min_size=2, max_size=6),
    separator=st.sampled_from(",;\t"),
    encoding=st.sampled_from(ENCODINGS),
)
def test_what_is_not_damaged_is_kept_whole(
    rows: list[tuple[list[str], list[str]]], separator: str, encoding: str
) -> None:
    raw = written(rows, separator, "\r\n", quotes=False).encode(encoding)
    items = list(read_rows(raw, Terms("RU")))
    kept = [item for item in items if isinstance(item, Row)]
    expected = list(csv.reader(io.StringIO(raw.decode(encoding), newline=""), delimiter=separator))[1:]
    assert [row.destination["variables"] for row in kept] == [
        {"имя": name.strip(), "text": text.strip()} for _, name, text in expected
    ]


CASES = {
    "a quote that is not closed": ('phone;n\n{0};A\n{1};"B\n{2};C\n{3};D\n', [0, 2, 3]),
    "the same where others are quoted": ('phone;n\n"{0}";"A"\n"{1}";"B\n"{2}";"C"\n"{3}";"D"\n', [0, 2, 3]),
    "a quote inside a cell": ('phone;n\n{0};A\n{1};"OOO "B""\n{2};C\n', [0, 2]),
    "quotes in a cell that is not quoted": ('phone;n\n{0};OOO "A"\n{1};5" screen\n{2};C\n', [0, 1, 2]),
    "a separator too many": ("phone;n\n{0};A\n{1};B;C\n{2};D\n", [0, 2]),
    "rows that a lost line break has joined": ("phone;n\n{0};A\n{1};B {2};C\n{3};D\n", [0, 3]),
    "cells of several lines": ('phone;n\n{0};"A\n{1};A"\n{2};C\n', [0, 2]),
    "the same beside a quote that is not closed": ('phone;n\n{0};"A\n{1};A"\n{2};"C\n{3};D\n', [3]),
}


@pytest.mark.parametrize("case", CASES)
def test_damaged_rows_are_refused_and_the_others_kept(case: str) -> None:
    text, kept = CASES[case]
    items = list(read_rows(text.format(*map(phone, range(5))).encode(), Terms("RU")))
    assert [item.destination["phone"] for item in items if isinstance(item, Row)] == list(map(phone, kept))


@pytest.mark.parametrize("bad", [b"\xff", b"\xd0", b"\x00", b"\x98"])
def test_one_bad_byte_is_the_fault_of_its_row_and_the_others_are_read_as_before(bad: bytes) -> None:
    lines = [f"{phone(number)};Анна {number}".encode() for number in range(4)]
    lines[2] = lines[2].replace("нн".encode(), bad)
    items = list(read_rows(b"\n".join(["телефон;имя".encode(), *lines]), Terms("RU")))
    names = [item.destination["variables"]["имя"] for item in items if isinstance(item, Row)]
    assert names == ["Анна 0", "Анна 1", "Анна 3"]
    (refused,) = [item.fault for item in items if isinstance(item, Refused)]
    assert (refused.row, refused.column, refused.message) == (4, "имя", "some of its characters are damaged")


@pytest.mark.parametrize(
    "line",
    ['"' * 101, '"a', 'a"b;', ';"', '"a"b;', '""";', ";", '"\n""\n', 'a"\n', '";""\n'],
)
def test_reading_takes_time_by_its_length_only(line: str) -> None:
    """Otherwise this test would run into its timeout."""
    raw = ("phone;n\n" + line * (400_000 // len(line))).encode()
    assert all(not isinstance(item, Row) for item in read_rows(raw, Terms("RU", most=10**9)))

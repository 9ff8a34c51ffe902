"""Tests that a cell of a workbook is only read in the row in which it stands."""

import re

import pytest

from gateway.domain.api.request import RequestError
from gateway.messages.jobs.files.rows import Item, Terms, read_rows
from gateway.messages.jobs.files.workbook import _Corners, workbook_lines
from tests.support.books import book, cell


def row(number: str, *places: str, attributes: str = "") -> bytes:
    named = f' r="{number}"' if number else ""
    return f"<row{attributes}{named}>".encode() + b"".join(cell(place, place) for place in places) + b"</row>"


IN_PLACE = [
    [row("1", "A1", "B1"), row("2", "B2", "A2"), row("4", "A4")],
    [row("", "A1", "B1"), row("", "A2", "B2")],
    [row("3"), row("5", "C5"), row(""), row("9", "A9")],
    [row("1", "A1", attributes=f' spans="1:{"5" * 100}"')],
]


@pytest.mark.parametrize("rows", IN_PLACE)
def test_cells_in_their_rows_are_read(rows: list[bytes]) -> None:
    texts = {str(text) for line in workbook_lines(book(b"".join(rows))) for text in line.cells if text}
    assert texts == set(re.findall(r"<t>(\w+)</t>", b"".join(rows).decode()))


@pytest.mark.parametrize("rows", IN_PLACE)
def test_a_cell_that_lies_across_two_pieces_is_one_cell(rows: list[bytes]) -> None:
    xml = b"".join(rows)
    for place in range(len(xml)):
        corners = _Corners()
        for piece in (xml[:place], xml[place:]):
            corners.look(piece)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("1", "A1"), row("2", "A2", "B3")], "cell B3 stands in row 2"),
        ([row("1", "A1"), row("", "A2", "B1")], "cell B1 stands in row 2"),
        ([row("1", "A1"), row("2", "A2", "B2", "A2")], "cell A2 comes twice"),
        ([row("1", "A1"), row("2", "A2"), row("2", "B2")], "row 2 comes after row 2"),
        ([row("1", "A1"), row("3", "A3"), row("", "A2")], "row 2 comes after row 3"),
    ],
)
def test_a_cell_that_says_the_place_of_another_refuses_the_file(rows: list[bytes], words: str) -> None:
    with pytest.raises(RequestError) as refused:
        list[Item](read_rows(book(b"".join(rows)), Terms("RU")))
    assert (refused.value.code, refused.value.message.partition(":")[0]) == ("bad_file", words)

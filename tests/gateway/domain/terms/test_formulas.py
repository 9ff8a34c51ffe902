"""Tests that no text opens as a formula, whatever separates the cells, and that each comes back as it was."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.terms.formulas import NUMBER, mark, unmark

texts = st.text(st.sampled_from("=+-@\t\r\n;|,'\" ax1"), max_size=12)


@given(texts)
def test_what_was_marked_comes_back_as_it_was(text: str) -> None:
    assert unmark(mark(text)) == text


@given(st.lists(texts, min_size=1, max_size=3), st.sampled_from(",;\t|"))
def test_no_cell_of_a_marked_row_begins_as_a_formula(row: list[str], separator: str) -> None:
    """Whether or not the spreadsheet takes quotes off."""
    file = io.StringIO()
    csv.writer(file).writerow(map(mark, row))
    for lines in (csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=separator), split(file, separator)):
        for cell in (cell for line in lines for cell in line if not NUMBER.match(cell.strip('"'))):
            assert not cell.strip('"').startswith(("=", "+", "-", "@", "\t")), cell


def split(file: io.StringIO, separator: str) -> list[list[str]]:
    """Return the cells as a spreadsheet sees them that knows no quotes, unless commas separate them."""
    if separator == ",":
        return []
    return [line.split(separator) for line in file.getvalue().replace("\r", "\n").split("\n")]

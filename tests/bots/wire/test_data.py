"""What people send to programs is kept as it came, or named and left out: it may be anything."""

import bson
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.wire.data import DEEPEST, MOST, data
from bots.wire.nulls import without_nulls

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@given(VALUES)
def test_whatever_it_is_a_document_and_an_answer_can_hold_it(value: object) -> None:
    kept = data("order", value)
    assert bson.decode(bson.encode(kept)) == kept
    assert kept in ({}, {"order": None}, {"order": without_nulls(value)})
    assert len(msgspec.json.encode(kept)) <= MOST + len('{"order":}')


@pytest.mark.parametrize("value", ["x" * (MOST - 2), nested(DEEPEST), -(2**63), 2**63 - 1, {"$set": {"a.b": 0}}])
def test_the_largest_that_is_kept(value: object) -> None:
    assert data("order", value) == {"order": value}


@pytest.mark.parametrize("value", ["x" * (MOST - 1), nested(DEEPEST + 1), -(2**63) - 1, 2**63, {"a\0": 0}])
def test_what_is_too_large_is_named(value: object) -> None:
    assert data("order", value) == {"order": None}

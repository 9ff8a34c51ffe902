"""Cutting long messages: nothing is lost, nothing is too long, no sign is torn, nothing becomes markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.vk.outbound.pieces import escape_markup, split
from bots.wire.cutting import units
from gateway.domain.model.nouns import Button, Content, Media

PHOTO = Media("image", url="https://shop.ru/a.png")
FAMILY, THUMB, FLAG, ACCENT = "👩‍👩‍👧", "👍🏽", "🇷🇺", "e\u0301"
WORDS = st.lists(
    st.sampled_from(["слово", "a" * 700, "😀" * 900, FAMILY, FLAG, "\n", "\n\n", " ", "[id1|x]", "&#33;"]), max_size=30
)


def texts(content: Content) -> list[str]:
    return [piece.text for piece in split(content)]


def test_a_short_message_is_left_as_it_is() -> None:
    content = Content(" 4096 ".center(4096, "-"), PHOTO, (Button("Yes"),), intent="purchase_update")
    assert split(content) == [content]


def test_it_is_counted_in_the_strictest_way() -> None:
    assert texts(Content("😀" * 2048)) == ["😀" * 2048]
    assert texts(Content("x" + "😀" * 2048)) == ["x" + "😀" * 2047, "😀"]


def test_it_is_cut_between_lines_or_else_between_words() -> None:
    assert texts(Content("a" * 3000 + "\n" + "b " * 1000)) == ["a" * 3000, ("b " * 1000).strip()]
    assert texts(Content("a" * 3000 + " " + "b" * 3000)) == ["a" * 3000, "b" * 3000]
    assert texts(Content("a " + "b" * 5000)) == ["a " + "b" * 4094, "b" * 906]
    assert texts(Content("a" + " " * 5000)) == ["a"]


@pytest.mark.parametrize("sign", [FAMILY, THUMB, FLAG, ACCENT, "❤️"])
def test_what_is_one_sign_stays_together(sign: str) -> None:
    for filler in range(4090, 4097):
        first, second = texts(Content("a" * filler + sign + "b" * 20))
        assert sign in first or sign in second


def test_the_file_goes_first_and_the_buttons_last_and_the_reason_with_all() -> None:
    buttons = (Button("Yes", reply="yes"),)
    pieces = split(Content("a" * 9000, PHOTO, buttons, intent="purchase_update"))
    assert [piece.media for piece in pieces] == [PHOTO, None, None]
    assert [piece.buttons for piece in pieces] == [(), (), buttons]
    assert {piece.intent for piece in pieces} == {"purchase_update"}


@pytest.mark.parametrize("text", ["[id1|x]", "[club1|a b]", "[https://vk.com/x|y]", "&#33;", "&lt;", "[a|b][c|d]"])
def test_markup_is_torn_apart_once(text: str) -> None:
    escaped = escape_markup(text)
    assert escaped != text
    assert escaped.replace("\u200b", "") == text
    assert escape_markup(escaped) == escaped


@pytest.mark.parametrize(("sign", "times"), [("[id1|x]", 585), ("&#33;", 819), ("[a|b][c|d] ", 370)])
def test_what_tears_markup_apart_takes_room_too(sign: str, times: int) -> None:
    """The text alone would fit one message."""
    pieces = texts(Content(sign * times))
    assert units(sign * times) <= 4096
    assert len(pieces) == 2
    assert all(units(escape_markup(piece)) <= 4096 for piece in pieces)
    assert "".join(pieces).replace(" ", "") == escape_markup(sign * times).replace(" ", "")


@pytest.mark.parametrize("text", ["", "Tom & Jerry", "[x]", "a | b", "[]", "[a|]", "&; &#;", "R&D;x"])
def test_other_text_is_left_alone(text: str) -> None:
    assert escape_markup(text).replace("\u200b", "") == text
    assert (escape_markup(text) == text) is (text != "R&D;x")


@given(WORDS.map("".join) | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_nothing_is_lost_and_nothing_is_torn(text: str) -> None:
    pieces = texts(Content(text))
    assert all(units(escape_markup(piece)) <= 4096 for piece in pieces)
    assert "".join("".join(pieces).split()).replace("\u200b", "") == "".join(text.split()).replace("\u200b", "")
    assert len(pieces) == 1 or all(piece == piece.strip() != "" for piece in pieces)

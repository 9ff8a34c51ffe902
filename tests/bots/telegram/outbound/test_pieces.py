"""Cutting long messages: nothing is lost, nothing is too long, and no character is torn."""

from hypothesis import given
from hypothesis import strategies as st

from bots.telegram.outbound.pieces import split
from bots.wire.cutting import units
from gateway.domain.model.nouns import Button, Content, Media

PHOTO = Media("image", id="AgACAgIAAxkBAAIB-large")
WORDS = st.lists(st.sampled_from(["слово", "a" * 700, "😀" * 900, "👩‍👩‍👧", "\n", "\n\n", " ", "x"]), max_size=30)


def texts(content: Content) -> list[str]:
    return [piece.text for piece in split(content)]


def test_a_short_message_is_left_as_it_is() -> None:
    content = Content(" 4096 ".center(4096, "-"), buttons=(Button("Yes"),))
    assert split(content) == [content]


def test_it_is_counted_as_telegram_counts() -> None:
    assert texts(Content("😀" * 2048)) == ["😀" * 2048]
    assert texts(Content("😀" * 2049)) == ["😀" * 2048, "😀"]
    assert texts(Content("x" + "😀" * 2048)) == ["x" + "😀" * 2047, "😀"]


def test_it_is_cut_between_lines_or_else_between_words() -> None:
    assert texts(Content("a" * 3000 + "\n" + "b " * 1000)) == ["a" * 3000, ("b " * 1000).strip()]
    assert texts(Content("a" * 3000 + " " + "b" * 3000)) == ["a" * 3000, "b" * 3000]
    assert texts(Content("a" * 4096 + " " + "b" * 4096)) == ["a" * 4096, "b" * 4096]
    assert texts(Content("a " + "b" * 5000)) == ["a " + "b" * 4094, "b" * 906]


def test_buttons_hang_under_the_last_piece() -> None:
    buttons = (Button("Yes", reply="yes"),)
    assert [piece.buttons for piece in split(Content("a" * 9000, buttons=buttons))] == [(), (), buttons]
    assert [piece.buttons for piece in split(Content("a" * 1025, PHOTO, buttons))] == [(), buttons]


def test_a_caption_that_is_too_long_follows_its_file() -> None:
    fits = Content("a" * 1024, PHOTO)
    assert split(fits) == [fits]
    assert split(Content("a" * 1025, PHOTO)) == [Content(media=PHOTO), Content("a" * 1025)]
    assert [len(text) for text in texts(Content("a" * 5000, PHOTO))] == [0, 4096, 904]


def test_a_sticker_has_no_caption() -> None:
    sticker = Media("sticker", id="CAACAgIAAxkBAAIB-sticker")
    assert split(Content("hi", sticker)) == [Content(media=sticker), Content("hi")]
    assert split(Content(media=sticker)) == [Content(media=sticker)]


@given(WORDS.map("".join) | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_nothing_is_lost_and_nothing_is_torn(text: str) -> None:
    pieces = texts(Content(text))
    assert all(units(piece) <= 4096 for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert len(pieces) == 1 or all(piece == piece.strip() != "" for piece in pieces)

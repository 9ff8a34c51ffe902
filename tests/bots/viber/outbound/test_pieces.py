"""Content cut into messages, and messages in Viber's format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.viber.outbound.messages import keyboard, render
from bots.viber.outbound.pieces import MAX_CAPTION, MAX_TEXT, split
from bots.wire.cutting import units
from gateway.domain.channel.errors import Refused
from gateway.domain.model.nouns import Button, Content, Media

PICTURE, FILE = Media("image", "https://shop.ru/a.jpg"), Media("document", "https://shop.ru/a.pdf")
YES = (Button("Yes", "/yes"),)
SENDER = {"name": "Shop"}


@given(st.text(max_size=60), st.integers(1, 300), st.sampled_from([None, PICTURE, FILE]))
def test_split_loses_nothing(text: str, times: int, media: Media | None) -> None:
    content = Content(text * times, media, YES)
    pieces = split(content)
    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(content.text.split())
    assert all(units(piece.text) <= MAX_TEXT for piece in pieces)
    assert [piece.media for piece in pieces] == [None] * (len(pieces) - 1) + [media]
    assert [piece.buttons for piece in pieces] == [()] * (len(pieces) - 1) + [YES]


def test_split_cuts_between_words_and_not_through_an_emoji() -> None:
    assert [len(piece.text) for piece in split(Content("word " * 1500))] == [6999, 499]
    assert [piece.text[-5:] for piece in split(Content("a" + " word" * 1400))] == [" word", "word"]
    assert [len(piece.text) for piece in split(Content("a" + "🙂" * 3500))] == [3500, 1]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (Content("x" * MAX_CAPTION, PICTURE), ["x" * MAX_CAPTION]),
        (Content("x" * (MAX_CAPTION + 1), PICTURE), ["x" * (MAX_CAPTION + 1), ""]),
        (Content("Look", FILE), ["Look", ""]),
        (Content("Look", Media("image", "https://shop.ru/a.webp")), ["Look", ""]),
        (Content(media=FILE), [""]),
        (Content("Look"), ["Look"]),
    ],
)
def test_only_a_picture_has_a_caption(content: Content, texts: list[str]) -> None:
    assert [piece.text for piece in split(content)] == texts


def test_nothing_is_null() -> None:
    message = render(SENDER, Content("Look", PICTURE))
    assert message == {
        "sender": SENDER,
        "min_api_version": 1,
        "type": "picture",
        "text": "Look",
        "media": "https://shop.ru/a.jpg",
    }


def test_a_link_has_no_size() -> None:
    assert render(SENDER, Content(media=FILE)) == {
        "sender": SENDER,
        "min_api_version": 1,
        "type": "url",
        "media": "https://shop.ru/a.pdf",
    }


def test_more_buttons_than_viber_shows() -> None:
    assert len(keyboard(YES * 24)["Buttons"]) == 24
    with pytest.raises(Refused, match="24 buttons"):
        keyboard(YES * 25)


@given(st.text(max_size=300) | st.text("&<", min_size=100))
def test_a_label_stays_within_its_limit(text: str) -> None:
    (key,) = keyboard([Button(text, reply="x")])["Buttons"]
    assert len(key["Text"]) <= 250
    assert "<" not in key["Text"]

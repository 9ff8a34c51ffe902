"""How texts are cut, into segments and into bodies."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.sms.outbound import body_of, split
from bots.sms.segments import BASIC, EXTENSION, encoding_of, parts, segments
from gateway.domain.model.nouns import Button, Content, Media

GSM = st.text(st.sampled_from(sorted(BASIC | EXTENSION)), max_size=600)
ANY = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("€{🙂ы\n a"), max_size=600)


def septets(text: str) -> int:
    return sum(2 if character in "\f^{}\\[~]|€" else 1 for character in text)


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("GSM-7", 1)),
        ("a" * 160, ("GSM-7", 1)),
        ("a" * 161, ("GSM-7", 2)),
        ("a" * 306, ("GSM-7", 2)),
        ("a" * 307, ("GSM-7", 3)),
        ("€" * 80, ("GSM-7", 1)),
        ("€" * 81, ("GSM-7", 2)),
        ("€" * 153, ("GSM-7", 3)),
        ("ы" * 70, ("UCS-2", 1)),
        ("ы" * 71, ("UCS-2", 2)),
        ("🙂" * 35, ("UCS-2", 1)),
        ("🙂" * 36, ("UCS-2", 2)),
        ("🙂" * 67, ("UCS-2", 3)),
        ("a" * 69 + "`", ("UCS-2", 1)),
    ],
)
def test_counts(text: str, expected: tuple[str, int]) -> None:
    assert segments(text) == expected


@given(GSM)
def test_seven_bit_texts(text: str) -> None:
    segment_texts = parts(text)
    assert "".join(segment_texts) == text
    assert encoding_of(text) == "GSM-7"
    assert all(0 < septets(part) <= (160 if len(segment_texts) == 1 else 153) for part in segment_texts)


@given(ANY)
def test_any_text(text: str) -> None:
    segment_texts = parts(text)
    assert "".join(segment_texts) == text
    for part in segment_texts:
        part.encode()
        if encoding_of(text) == "UCS-2":
            assert 0 < utf16(part) <= (70 if len(segment_texts) == 1 else 67)


@given(st.text(st.sampled_from("€{a"), min_size=161, max_size=600))
def test_no_segment_has_room_for_the_next_character(text: str) -> None:
    segment_texts = parts(text)
    for part, following in pairwise(segment_texts):
        assert septets(part + following[0]) > 153


@given(ANY, st.integers(1, 8))
def test_split_loses_nothing(text: str, times: int) -> None:
    content = Content(text * times, Media("image", "https://shop.ru/a.jpg"), (Button("Yes", "/yes"),))
    pieces = split(content)
    assert "".join("".join(map(body_of, pieces)).split()) == "".join(body_of(content).split())
    assert all(0 < utf16(body_of(piece)) <= 1600 for piece in pieces)


def test_split_counts_as_strictly_as_anyone_might() -> None:
    assert [len(piece.text) for piece in split(Content("🙂" * 1000))] == [800, 200]


def test_split_cuts_between_words() -> None:
    pieces = split(Content("word " * 400))
    assert [len(piece.text) for piece in pieces] == [1599, 399]
    pieces = split(Content("a" + " word" * 400))
    assert [piece.text[-5:] for piece in pieces] == [" word", " word"]


def test_a_short_content_stays_as_it_is() -> None:
    content = Content("hello", buttons=(Button("Yes", "/yes"),))
    assert split(content) == [content]

"""Long texts, on every channel: nothing is lost, nothing is too long, and no character is torn."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bots
from bots.sms import outbound as sms
from bots.telegram.outbound import pieces as telegram
from bots.viber.outbound import pieces as viber
from bots.vk.outbound import pieces as vk
from bots.whatsapp.outbound import pieces as whatsapp
from bots.wire.cutting import units
from gateway.domain.model.nouns import Button, Content, Media

SPLITS: Mapping[str, Callable[[Content], Iterable[Content]]] = {
    "telegram": telegram.split,
    "vk": vk.split,
    "viber": viber.split,
    "whatsapp": whatsapp.split,
    "sms": sms.split,
}
TEXT = {"telegram": 4096, "vk": 4096, "viber": 7000, "whatsapp": 4096, "sms": 1600}
CAPTION = {"telegram": 1024, "vk": 4096, "viber": 768, "whatsapp": 1024}
"""What one message holds; counted in UTF-16, in which an emoji is two."""

BODY = 1024
"""Of a message with buttons in WhatsApp."""

PHOTO = Media("image", "https://shop.ru/a.png")
YES = (Button("Yes", reply="yes"),)
FAMILY, THUMB, FLAG, ACCENT, HEART = "👩\u200d👩\u200d👧", "👍🏽", "🇷🇺", "e\u0301", "❤\ufe0f"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
HANGUL, HANGUL_AND_JAMO, HINDI = "\u1112\u1161\u11ab", "\ud558\u11ab", "\u0915\u094d\u0937\u093f"
"""What many think of as one character: the flag of England by its tags, syllables in parts, joined consonants."""

CHUNKS = ["слово", "a" * 700, "😀" * 900, "€" * 300, FAMILY, FLAG, ACCENT, "\n", "\n\n", "  ", " ", "[id1|x]", "&#33;"]
TEXTS = st.lists(st.sampled_from(CHUNKS), max_size=30).map("".join)
CONTENTS = st.builds(Content, TEXTS, st.none() | st.just(PHOTO), st.just(()) | st.just(YES))


def split(name: str, content: Content) -> Sequence[Content]:
    return list(SPLITS[name](content))


def visible_text(name: str, content: Content) -> str:
    """Return what a person reads: a text message has no other place for files and buttons."""
    return sms.body_of(content) if name == "sms" else content.text


def texts(name: str, text: str) -> Sequence[str]:
    return [visible_text(name, piece) for piece in split(name, Content(text))]


def limit(name: str, piece: Content) -> int:
    if name == "whatsapp" and piece.buttons:
        return BODY
    return CAPTION.get(name, TEXT[name]) if piece.media else TEXT[name]


def remainder(text: str, pieces: Sequence[str]) -> str:
    """Return the rest of a text without the pieces at its front; only white space may stand between them."""
    for piece in pieces:
        text = text if text.startswith(piece) else text.lstrip()
        assert text.startswith(piece), (text[:40], piece[:40])
        text = text.removeprefix(piece)
    return text


def test_no_channel_is_left_out() -> None:
    assert set(SPLITS) == set(bots.CHANNELS)


@pytest.mark.parametrize("name", SPLITS)
@given(CONTENTS)
def test_the_pieces_are_the_text_again_and_each_has_room(name: str, content: Content) -> None:
    pieces = split(name, content)
    piece_texts = [visible_text(name, piece) for piece in pieces]
    assert remainder(visible_text(name, content), [text.replace("\u200b", "") for text in piece_texts]).strip() == ""
    for piece, text in zip(pieces, piece_texts, strict=True):
        assert units(vk.escape_markup(text) if name == "vk" else text) <= limit(name, piece)


@pytest.mark.parametrize("name", SPLITS)
def test_it_is_full_at_its_limit_and_not_before(name: str) -> None:
    limit_of_text = TEXT[name]
    assert [len(text) for text in texts(name, "a" * limit_of_text)] == [limit_of_text]
    assert [len(text) for text in texts(name, "a" * (limit_of_text + 1))] == [limit_of_text, 1]
    assert texts(name, "😀" * (limit_of_text // 2)) == ["😀" * (limit_of_text // 2)]
    assert texts(name, "x" + "😀" * (limit_of_text // 2)) == ["x" + "😀" * (limit_of_text // 2 - 1), "😀"]


@pytest.mark.parametrize("name", CAPTION)
@pytest.mark.parametrize("sign", ["a", "ы", "😀"])
def test_a_caption_has_its_own_limit(name: str, sign: str) -> None:
    longest = sign * (CAPTION[name] // units(sign))
    assert split(name, Content(longest, PHOTO)) == [Content(longest, PHOTO)]
    assert len(split(name, Content(longest + "b", PHOTO))) == 2


@pytest.mark.parametrize("sign", ["a", "ы", "😀"])
def test_whatsapps_text_above_buttons_has_its_own_limit(sign: str) -> None:
    longest = sign * (BODY // units(sign))
    assert split("whatsapp", Content(longest, buttons=YES)) == [Content(longest, buttons=YES)]
    before, last = split("whatsapp", Content(longest + "b", buttons=YES))
    assert (before.buttons, last.buttons, before.text + last.text) == ((), YES, longest + "b")


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("sign", [FAMILY, THUMB, FLAG, ACCENT, HEART, ENGLAND, HANGUL, HANGUL_AND_JAMO, HINDI])
def test_what_is_one_sign_stays_together(name: str, sign: str) -> None:
    for before in range(TEXT[name] - units(sign) - 1, TEXT[name] + 1):
        first, second = texts(name, "a" * before + sign + "b" * 20)
        assert sign in first or sign in second

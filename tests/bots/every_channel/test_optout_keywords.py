"""Words by which people leave and come back: as the whole message, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.conversation import COMMANDS
from bots.optout_keywords import GOODBYE, START, STOP, goodbye, plain, wish

WORDS = [(word, "stop") for words in STOP.values() for word in words]
BACK = [(word, "start") for words in START.values() for word in words]


@pytest.mark.parametrize(("word", "meant"), [*WORDS, *BACK])
def test_every_word_in_any_case_and_with_punctuation(word: str, meant: str) -> None:
    for said in (word, word.upper(), word.title(), f"  {word}!!! ", f"«{word}».", word.replace("е", "ё")):
        assert wish(said) == meant, said


@pytest.mark.parametrize(
    "text", ["", "stop by tomorrow", "не стоп", "don't stop", "/settings", "отписаться от всего нельзя", "1", "@stop"]
)
def test_no_wish(text: str) -> None:
    assert wish(text) == ""


def test_no_word_means_both() -> None:
    assert not {plain(word) for word, _ in WORDS} & {plain(word) for word, _ in BACK}
    commands = {word: meant for word, meant in COMMANDS.items() if wish(word)}
    assert all(wish(word) == meant for word, meant in commands.items())


@given(st.text())
def test_any_text(text: str) -> None:
    assert wish(text) in {"", "stop", "start"}
    assert goodbye(text, text) in GOODBYE.values()


@pytest.mark.parametrize(
    ("text", "language", "answer"),
    [
        ("stop", "", "en"),
        ("Стоп", "", "ru"),
        ("стоп", "uk", "uk"),
        ("stop", "de-AT", "en"),
        ("Stopp!", "xx", "de"),
        ("/stop", "ru", "en"),
    ],
)
def test_the_answer_is_in_their_language(text: str, language: str, answer: str) -> None:
    assert goodbye(text, language) == GOODBYE[answer]

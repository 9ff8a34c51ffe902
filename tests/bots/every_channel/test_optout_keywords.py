"""Words by which people leave and come back: as the whole message, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.commands.command import COMMANDS
from gateway.domain.commands.keywords import GOODBYE, START, STOP, goodbye, optout_keyword, plain

WORDS = [(word, "stop") for words in STOP.values() for word in words]
BACK = [(word, "start") for words in START.values() for word in words]


@pytest.mark.parametrize(("word", "meant"), [*WORDS, *BACK])
def test_every_word_in_any_case_and_with_punctuation(word: str, meant: str) -> None:
    for said in (word, word.upper(), word.title(), f"  {word}!!! ", f"«{word}».", word.replace("е", "ё")):
        assert optout_keyword(said) == meant, said


@pytest.mark.parametrize(
    "text", ["", "stop by tomorrow", "не стоп", "don't stop", "/settings", "отписаться от всего нельзя", "1", "@stop"]
)
def test_no_wish(text: str) -> None:
    assert optout_keyword(text) == ""


def test_no_word_means_both() -> None:
    assert not {plain(word) for word, _ in WORDS} & {plain(word) for word, _ in BACK}
    commands = {word: meant for word, meant in COMMANDS.items() if optout_keyword(word)}
    assert all(optout_keyword(word) == meant for word, meant in commands.items())


@given(st.text())
def test_any_text(text: str) -> None:
    assert optout_keyword(text) in {"", "stop", "start"}
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

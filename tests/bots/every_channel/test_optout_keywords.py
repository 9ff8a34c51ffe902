"""Opt-out keywords: they count as the whole message, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.commands.command import COMMANDS
from gateway.domain.commands.keywords import GOODBYE, START, STOP, goodbye, keyword, normalise

WORDS = [(word, "stop") for words in STOP.values() for word in words]
BACK = [(word, "start") for words in START.values() for word in words]


@pytest.mark.parametrize(("word", "command"), [*WORDS, *BACK])
def test_every_word_in_any_case_and_with_punctuation(word: str, command: str) -> None:
    for spelling in (word, word.upper(), word.title(), f"  {word}!!! ", f"«{word}».", word.replace("е", "ё")):
        assert keyword(spelling) == command, spelling


@pytest.mark.parametrize(
    "text", ["", "stop by tomorrow", "не стоп", "don't stop", "/settings", "отписаться от всего нельзя", "1", "@stop"]
)
def test_no_keyword(text: str) -> None:
    assert keyword(text) == ""


def test_no_word_means_both() -> None:
    assert not {normalise(word) for word, _ in WORDS} & {normalise(word) for word, _ in BACK}
    commands = {word: command for word, command in COMMANDS.items() if keyword(word)}
    assert all(keyword(word) == command for word, command in commands.items())


@given(st.text())
def test_any_text(text: str) -> None:
    assert keyword(text) in {"", "stop", "start"}
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

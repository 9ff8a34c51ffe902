"""Keywords: they count as the whole message, however they are written, and only if it is the person who says them."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.commands.command import SLASH, read_command
from gateway.domain.commands.keywords import GOODBYE, HELP, MOST, START, STOP, goodbye, keyword, normalise

TABLES = {"stop": STOP, "start": START, "help": HELP}
WORDS = [(word, name) for name, table in TABLES.items() for words in table.values() for word in words]
SIGNS = [
    sign
    for sign in map(chr, range(sys.maxunicode))
    if unicodedata.category(sign) == "Cf" or unicodedata.category(sign)[0] in "PS"
]
DECORATIONS = [
    *("“{}”", "«{}»", "„{}‟", "[{}]", "({})", "*{}*", "_{}_", "{}!!!", "  {}\r\n", "\ufeff{}", "{}\u200b", "🛑 {} 🛑"),
    *(
        "{} ❤️",
        "1️⃣ {}",
        "{}👩‍👩‍👧",
        "#️⃣{}",
        "{}\x00",
        "{}…?!",
        "— {}",
        "{}\u3000",
        "{}🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "🇰🇿{}",
        "{}✋🏽",
        "\u200e{}\u200f",
        "{} ;-)",
    ),
]
SENTENCES = [
    *("{} by tomorrow, I am home after six", "{} sending two copies, one is enough", "{} 2", "2 {}"),
    *("could you {}", "I will never {} it", "don't {}", "не {}", "when does it {}?", "“{}” she said", "{}\nAnna"),
]


@pytest.mark.parametrize(("word", "name"), WORDS)
def test_a_word_alone_counts_however_it_is_written(word: str, name: str) -> None:
    spellings = [word, word.upper(), word.title(), word.replace("е", "ё"), unicodedata.normalize("NFD", word)]
    for spelling in [*spellings, *(decoration.format(word) for decoration in DECORATIONS)]:
        assert read_command(spelling).name == name, spelling


@pytest.mark.parametrize(("word", "name"), WORDS)
def test_a_word_within_a_sentence_does_not_count(word: str, name: str) -> None:
    for sentence in SENTENCES:
        assert read_command(sentence.format(word)) == ("", sentence.format(word).strip()), name


@pytest.mark.parametrize(("word", "name"), WORDS)
def test_a_word_on_a_callers_button_does_not_count(word: str, name: str) -> None:
    assert read_command(word, pressed=word) == ("", word), name
    assert read_command(word, pressed="order:5") == ("", "order:5")
    assert read_command(word, pressed="") == ("", "")


@pytest.mark.parametrize(("slash", "name"), SLASH.items())
def test_a_slash_command_counts_by_the_first_word_and_on_a_button(slash: str, name: str) -> None:
    for text in (slash, slash.upper(), f" {slash}\n", f"{slash}!", f"{slash}…"):
        assert read_command(text) == (name, "")
        assert read_command("Cancel", pressed=text) == (name, "")
    assert read_command(f"{slash} two copies") == (name, "two copies")
    for text in (f"could you {slash}", f"{slash}ping", f"{slash}_it", f"https://shop.ru{slash} it"):
        assert read_command(text).name == "", text


def test_every_sign_of_unicode_is_decoration() -> None:
    assert len(SIGNS) > 8000
    assert [sign for sign in SIGNS if keyword(f"{sign}stop{sign}{sign} {sign}all{sign}") != "stop"] == []


REQUESTS = [
    *("Отпишись", "Отписать", "не пишите", "Не пишите мне", "больше не пишите!", "Не пишіть мені", "REMOVE"),
    *(
        "STOP STOP",
        "stop\nstop",
        "Stop. Stop! STOP",
        "stop all, stop all",
        "please stop",
        "Stop, please",
        "unsubscribe me",
    ),
]


@pytest.mark.parametrize("text", REQUESTS)
def test_what_can_only_be_meant_so_counts(text: str) -> None:
    assert keyword(text) == "stop"
    assert read_command(text, pressed=text).name == ""


ANSWERS = [
    "alto",
    "Alta",
    "хватит",
    "Досить",
    "please cancel",
    "cancel, please",
    "stop start",
    "stop stop it",
    "enough",
]


@pytest.mark.parametrize("text", ["", "1", "/settings", "отписаться от всего нельзя", "stop1", "sto p", "★", *ANSWERS])
def test_no_keyword(text: str) -> None:
    assert keyword(text) == ""


def test_no_word_means_two_things() -> None:
    meanings = {(normalise(word), name) for word, name in WORDS}
    assert len({word for word, _ in meanings}) == len(meanings)


def test_the_words_of_the_carriers_are_known() -> None:
    """They opt a person out at Twilio whatever we think, and so they have to here. Twilio docs: opt-out keywords."""
    carriers = {
        "STOP",
        "STOPALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "REVOKE",
        "OPTOUT",
        "ARRET",
        "ARRETE",
        "ARRETT",
    }
    assert {keyword(word) for word in carriers} == {"stop"}
    assert {keyword(word) for word in ("START", "UNSTOP")} == {"start"}
    assert {keyword(word) for word in ("HELP", "INFO")} == {"help"}
    assert keyword("YES") == "", "it answers other questions, too"


def test_a_text_of_any_length_is_looked_at_in_no_time() -> None:
    assert keyword("!" * (MOST - 4) + "stop") == "stop"
    assert keyword("!" * (MOST - 3) + "stop") == ""
    assert keyword("stop " * (MOST // 5)) == "stop"


@given(st.text())
def test_any_text(text: str) -> None:
    assert keyword(text) in {"", *TABLES}
    assert goodbye(text, text) in GOODBYE.values()


@pytest.mark.parametrize(
    ("text", "language", "answer"),
    [
        ("stop", "", "en"),
        ("Стоп", "", "ru"),
        ("стоп", "uk", "uk"),
        ("stop", "de-AT", "en"),
        ("Stopp!", "xx", "de"),
        ("“STOPP” 🛑", "xx", "de"),
        ("Stopp, stopp!", "xx", "de"),
        ("/stop", "ru", "en"),
    ],
)
def test_the_answer_is_in_their_language(text: str, language: str, answer: str) -> None:
    assert goodbye(text, language) == GOODBYE[answer]

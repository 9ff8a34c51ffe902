"""Which button a text chooses, where the messenger does not say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.channel.choices import choose
from gateway.domain.model.nouns import Button

BUTTONS = (
    Button("Our site", url="https://shop.ru"),
    Button("Да", reply="yes"),
    Button("Stop", reply="/stop"),
    Button("7"),
)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("1", "yes"),
        ("2", "/stop"),
        ("3", "7"),
        (" 2. ", "/stop"),
        ("№1", "yes"),
        *((two, "/stop") for two in ("2\ufe0f\u20e3", "2\u20e3", "٢", "２", "②", "²", "२", "2)", "2. Stop", "2 stop!")),
        ("да!", "yes"),
        ("“Stop”", "/stop"),
        ("7", "7"),
        ("0", None),
        ("4", None),
        ("1 2", None),
        *((text, None) for text in ("2. Да", "½", "22", "2️⃣2️⃣", "②②", "🔟", "2. Stop it")),
        ("Our site", None),
        ("yes", None),
        ("yes, 1", None),
        ("", None),
    ],
)
def test_by_its_number_or_its_text(text: str, reply: str | None) -> None:
    assert choose(BUTTONS, text, numbered=True) == reply


@pytest.mark.parametrize(("text", "reply"), [("yes", "yes"), ("7", "7"), ("Да", None), ("1", None), ("Yes", None)])
def test_by_its_reply(text: str, reply: str | None) -> None:
    assert choose(BUTTONS, text, numbered=False) == reply


def test_a_number_of_two_digits_is_read_in_all_its_forms() -> None:
    buttons = [Button(f"Answer {letter}", reply=letter) for letter in "abcdefghijkl"]
    for ten in ("10", "🔟", "⑩", "١٠", "1️⃣0️⃣", "10. Answer j"):
        assert choose(buttons, ten, numbered=True) == "j", ten


def test_buttons_that_are_only_numbers_are_chosen_by_them() -> None:
    buttons = (Button("1️⃣", reply="one"), Button("2️⃣", reply="two"))
    assert [choose(buttons, text, numbered=True) for text in ("1️⃣", "2️⃣", "2")] == ["one", "two", "two"]


def test_a_number_comes_before_a_text() -> None:
    assert choose((Button("2", reply="two"), Button("1", reply="one")), "1", numbered=True) == "two"


@given(st.text(), st.lists(st.builds(Button, st.text(), st.text())), st.booleans())
def test_any_text_chooses_one_of_them_or_none(text: str, buttons: list[Button], numbered: bool) -> None:  # noqa: FBT001
    assert choose(buttons, text, numbered=numbered) in {None, *(button.reply or button.text for button in buttons)}

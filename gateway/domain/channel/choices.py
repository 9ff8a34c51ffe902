"""Buttons in messengers that do not say when one is pressed: people choose by the text that they write."""

import unicodedata
from collections.abc import Sequence

from gateway.domain.commands.keywords import KEYCAP, MOST, normalise
from gateway.domain.model.nouns import Button


def choose(buttons: Sequence[Button], text: str, *, numbered: bool) -> str | None:
    """Return the reply of the button that this text chooses, or None.

    numbered: by its number, by what stands on it, or by both as the list shows them; otherwise by its reply, in exactly
    these letters. Numbers count from 1 and pass over buttons that open an address.
    """
    offered = [button for button in buttons if not button.url]
    if not numbered:
        return next((reply for reply in map(_reply, offered) if reply == text), None)
    if len(text) > MOST or not (word := _words(text)):
        return None
    numbers = {str(number): _reply(button) for number, button in enumerate(offered, 1)}
    labels = {_words(button.text[:MOST]): _reply(button) for button in reversed(offered)}
    lines = {_words(f"{number} {button.text[:MOST]}"): _reply(button) for number, button in enumerate(offered, 1)}
    return (lines | labels | numbers).get(word)


def _words(text: str) -> str:
    """Return a text as it is compared: digits of every script, on keys and in circles, are those of the list."""
    plain = KEYCAP.sub(lambda key: key[0][0], text).replace("\N{KEYCAP TEN}", "10")
    return normalise("".join(map(_digit, plain)))


def _digit(character: str) -> str:
    value = unicodedata.numeric(character, 0.5) if unicodedata.category(character) in {"Nd", "No"} else 0.5
    return str(int(value)) if value.is_integer() else character


def _reply(button: Button) -> str:
    return button.reply or button.text

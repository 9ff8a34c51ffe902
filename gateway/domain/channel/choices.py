"""Buttons in messengers that do not say when one is pressed: people choose by the text that they write."""

from collections.abc import Sequence

from gateway.domain.commands.keywords import MOST, normalise
from gateway.domain.model.nouns import Button


def choose(buttons: Sequence[Button], text: str, *, numbered: bool) -> str | None:
    """Return the reply of the button that this text chooses, or None.

    numbered: by its number or by what stands on it; otherwise by its reply, in exactly these letters. Numbers count
    from 1 and pass over buttons that open an address.
    """
    offered = [button for button in buttons if not button.url]
    if not numbered:
        return next((reply for reply in map(_reply, offered) if reply == text), None)
    if len(text) > MOST or not (word := normalise(text)):
        return None
    numbers = {str(number): _reply(button) for number, button in enumerate(offered, 1)}
    labels = {normalise(button.text[:MOST]): _reply(button) for button in reversed(offered)}
    return (labels | numbers).get(word)


def _reply(button: Button) -> str:
    return button.reply or button.text

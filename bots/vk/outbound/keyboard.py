"""Buttons under a message. VK API: Keyboards for bots, inline keyboards."""

from collections.abc import Sequence

import msgspec
from vk_api.keyboard import VkKeyboard

from gateway.domain.channel.errors import Refused
from gateway.domain.model.nouns import Button

MAX_BUTTONS = 10
MAX_LABEL = 40
MAX_PAYLOAD = 255
"""Characters of a button's JSON."""

MAX_SINGLE = 6
"""Rows of an inline keyboard: up to here every button has one to itself, and whole words stay readable."""


def keyboard(buttons: Sequence[Button]) -> str:
    """The keyboard as JSON. Raises Refused for what VK has no room for."""
    if len(buttons) > MAX_BUTTONS:
        raise Refused(f"the message has {len(buttons)} buttons; VK takes {MAX_BUTTONS}")
    made, width = VkKeyboard(inline=True), 1 if len(buttons) <= MAX_SINGLE else 2
    for number, button in enumerate(buttons):
        if number and number % width == 0:
            made.add_line()
        _add(made, button)
    return msgspec.json.encode(
        {"inline": True, "buttons": [[_lean(key) for key in row] for row in made.lines]}
    ).decode()


def _add(made: VkKeyboard, button: Button) -> None:
    if button.url:
        made.add_openlink_button(_label(button.text), button.url)
    else:
        made.add_callback_button(_label(button.text), payload=_payload(button))


def _lean(key: dict[str, dict[str, str | None]]) -> dict[str, object]:
    """VK refuses the null that VkKeyboard writes for a button without a payload."""
    action = {name: value for name, value in key["action"].items() if value is not None}
    return {**key, "action": action}


def _label(text: str) -> str:
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 1].rstrip()}…"


def _payload(button: Button) -> str:
    payload = msgspec.json.encode({"reply": button.reply or button.text}).decode()
    if len(payload) > MAX_PAYLOAD:
        most = MAX_PAYLOAD - len('{"reply":""}')
        raise Refused(f"the reply of the button {button.text!r} is too long; VK takes {most} characters")
    return payload

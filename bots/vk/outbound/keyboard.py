"""Builds the buttons under a message. VK API: Keyboards for bots, inline keyboards."""

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
"""Rows of an inline keyboard. Up to so many buttons each has a row to itself, so that whole words stay readable."""


def keyboard(buttons: Sequence[Button]) -> str:
    """Return the keyboard as JSON. Raises Refused for what VK has no room for."""
    if len(buttons) > MAX_BUTTONS:
        raise Refused(f"the message has {len(buttons)} buttons; VK takes {MAX_BUTTONS}")
    builder, width = VkKeyboard(inline=True), 1 if len(buttons) <= MAX_SINGLE else 2
    for number, button in enumerate(buttons):
        if number and number % width == 0:
            builder.add_line()
        _add(builder, button)
    return msgspec.json.encode(
        {"inline": True, "buttons": [[_without_nulls(key) for key in row] for row in builder.lines]}
    ).decode()


def _add(builder: VkKeyboard, button: Button) -> None:
    if button.url:
        builder.add_openlink_button(_label(button.text), button.url)
    else:
        builder.add_callback_button(_label(button.text), payload=_payload(button))


def _without_nulls(key: dict[str, dict[str, str | None]]) -> dict[str, object]:
    """Remove the null that VkKeyboard writes for a button without a payload: VK refuses it."""
    action = {name: value for name, value in key["action"].items() if value is not None}
    return {**key, "action": action}


def _label(text: str) -> str:
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 1].rstrip()}…"


def _payload(button: Button) -> str:
    reply = button.reply or button.text
    if not takes_reply(reply):
        raise Refused(f"the reply of the button {button.text!r} is too long; VK takes {MAX_REPLY} characters")
    return _json(reply)


def takes_reply(reply: str) -> bool:
    """Tell whether a button can carry this reply."""
    return len(_json(reply)) <= MAX_PAYLOAD


def _json(reply: str) -> str:
    return msgspec.json.encode({"reply": reply}).decode()


MAX_REPLY = MAX_PAYLOAD - len(_json(""))

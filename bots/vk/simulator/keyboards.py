"""The keyboards and carousels that VK's API accepts, for the stand-in. VK API: Keyboards for bots, Carousels."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from bots.vk.outbound.keyboard import MAX_BUTTONS, MAX_LABEL, MAX_PAYLOAD, MAX_SINGLE
from bots.vk.simulator.rules import VkError
from gateway.domain.model.nouns import Button

MAX_IN_ROW = 5
MAX_ROWS, MAX_KEYS = 10, 40
"""Of a keyboard that is not inline, which stands in place of the phone's own."""


class Action(Struct):
    """What a key does. VK API: Keyboards for bots, Action types."""

    type: Literal["text", "callback", "open_link", "location", "vkpay", "open_app"]
    label: str = ""
    payload: str | dict[str, Any] | None = ""
    link: str = ""
    hash: str | None = ""
    app_id: int = 0

    @property
    def payload_text(self) -> str:
        """Return the payload as JSON."""
        payload = self.payload or ""
        return payload if isinstance(payload, str) else msgspec.json.encode(payload).decode()


class Key(Struct):
    action: Action
    color: Literal["primary", "secondary", "negative", "positive"] = "secondary"


class Keyboard(Struct):
    buttons: list[list[Key]]
    inline: bool = False
    one_time: bool = False


class Card(Struct):
    """One card of a carousel."""

    buttons: Annotated[list[Key], Meta(min_length=1, max_length=3)]
    title: Annotated[str, Meta(max_length=80)] = ""
    description: Annotated[str, Meta(max_length=80)] = ""
    photo_id: str = ""


class Carousel(Struct):
    type: Literal["carousel"]
    elements: Annotated[list[Card], Meta(min_length=1, max_length=10)]


NO_KEYS = '{"buttons":[]}'


def buttons_of(params: Mapping[str, str]) -> list[Button]:
    """Return the buttons under or beside a message, row by row, and those of its cards. Raises VkError."""
    keyboard = _decoded(params.get("keyboard") or NO_KEYS, Keyboard)
    _check_size(keyboard)
    return [_button(action) for action in _actions(params, keyboard)]


def text_labels(params: Mapping[str, str]) -> set[str]:
    """Return the labels of the keys whose text a person writes by pressing them."""
    keyboard = _decoded(params.get("keyboard") or NO_KEYS, Keyboard)
    return {action.label for action in _actions(params, keyboard) if action.type == "text"}


def _actions(params: Mapping[str, str], keyboard: Keyboard) -> list[Action]:
    keys = [key for row in keyboard.buttons for key in row]
    if value := params.get("template"):
        carousel = _decoded(value, Carousel)
        keys += [key for card in carousel.elements for key in card.buttons]
    return [key.action for key in keys]


def _decoded(value: str, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.DecodeError as error:
        raise VkError(911, f"Keyboard format is invalid: {error}") from None


def _check_size(keyboard: Keyboard) -> None:
    rows = keyboard.buttons
    if keyboard.inline and keyboard.one_time:
        raise VkError(911, "Keyboard format is invalid: one_time and inline exclude each other")
    most, most_rows = (MAX_BUTTONS, MAX_SINGLE) if keyboard.inline else (MAX_KEYS, MAX_ROWS)
    if len(rows) > most_rows or sum(map(len, rows)) > most or any(not 0 < len(row) <= MAX_IN_ROW for row in rows):
        raise VkError(911, "Keyboard format is invalid: too many buttons")


def _button(action: Action) -> Button:
    payload = action.payload_text
    if len(action.label) > MAX_LABEL or len(payload) > MAX_PAYLOAD or not (action.label or action.type in NAMELESS):
        raise VkError(911, "Keyboard format is invalid: label or payload")
    if payload and not _is_json(payload):
        raise VkError(911, "Keyboard format is invalid: payload")
    if action.type == "open_link":
        if not action.link.startswith(("http://", "https://")):
            raise VkError(911, "Keyboard format is invalid: link")
        return Button(action.label, url=action.link)
    if action.type in ADDRESSES:
        return _other(action)
    if action.type == "callback" and not payload:
        raise VkError(911, "Keyboard format is invalid: payload")
    return Button(action.label, reply=payload)


NAMELESS = {"location", "vkpay"}
"""The keys whose words are VK's own."""

ADDRESSES = {"location": "vk:location", "vkpay": "vk:pay", "open_app": "vk:app"}


def _other(action: Action) -> Button:
    """Return a key that opens something of VK's own, and sends us nothing here."""
    if (action.type == "vkpay" and not action.hash) or (action.type == "open_app" and not action.app_id):
        raise VkError(911, f"Keyboard format is invalid: {action.type}")
    return Button(action.label or action.type, url=ADDRESSES[action.type])


def _is_json(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False

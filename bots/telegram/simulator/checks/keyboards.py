"""The keyboards that the server takes. Bot API: InlineKeyboardMarkup, InlineKeyboardButton, ReplyKeyboardMarkup."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Struct, UnsetType

from bots.telegram.simulator.checks.refusals import bad_request
from gateway.domain.model.nouns import Button

MAX_CALLBACK_DATA = 64
MAX_BUTTONS = 100
SCHEMES = {"http", "https", "tg", "ton"}


class WebApp(Struct):
    url: str


class CopyText(Struct):
    text: str


class Key(Struct):
    """A button under a message: a text, and exactly one field that says what it does."""

    text: str = ""
    url: str = ""
    callback_data: str = ""
    web_app: WebApp | None = None
    login_url: WebApp | None = None
    switch_inline_query: str | UnsetType = UNSET
    switch_inline_query_current_chat: str | UnsetType = UNSET
    switch_inline_query_chosen_chat: dict[str, Any] | None = None
    copy_text: CopyText | None = None

    @property
    def actions(self) -> list[str]:
        """Return the fields that say what the button does. An empty query is one, an empty address is none."""
        values = {name: getattr(self, name) for name in self.__struct_fields__[1:]}
        return [name for name, value in values.items() if value or (value == "" and name.startswith("switch"))]

    @property
    def address(self) -> str:
        """Return the address that the button opens, if any."""
        page = self.web_app or self.login_url
        return page.url if page else self.url


class ReplyKey(Struct):
    text: str


class Markup(Struct):
    """Any of the four kinds of markup."""

    inline_keyboard: list[list[Key]] = []
    keyboard: list[list[ReplyKey | str]] = []
    remove_keyboard: bool = False
    force_reply: bool = False


def buttons_of(params: Mapping[str, str]) -> list[Button]:
    """Return the inline keyboard's buttons, row by row. Raises Refused."""
    try:
        markup = msgspec.json.decode(params.get("reply_markup") or "{}", type=Markup)
    except msgspec.DecodeError:
        raise bad_request("can't parse reply keyboard markup JSON object") from None
    keys = [key for row in markup.inline_keyboard for key in row]
    if len(keys) > MAX_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return [_button(key) for key in keys]


def _button(key: Key) -> Button:
    if not key.text:
        raise bad_request("keyboard button text must be non-empty")
    if not key.actions:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(key.actions) > 1:
        raise bad_request("can't parse inline keyboard button: exactly one of the optional fields must be used")
    if len(key.callback_data.encode()) > MAX_CALLBACK_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    _check_address(key)
    return Button(key.text, reply=key.callback_data, url=key.address)


def _check_address(key: Key) -> None:
    if not key.address:
        return
    parts = urlsplit(key.address)
    if not parts.netloc:
        raise bad_request(f"inline keyboard button URL '{key.address}' is invalid: Wrong HTTP URL")
    if parts.scheme not in SCHEMES:
        raise bad_request(f"inline keyboard button URL '{key.address}' is invalid: Unsupported URL protocol")

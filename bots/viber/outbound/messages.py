"""Builds our messages in Viber's format, without any I/O. REST Bot API: Message types; Keyboards.

Everything here is of API level 1, which every Viber understands.
"""

import re
from collections.abc import Sequence
from html import escape
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from viberbot.api.messages import FileMessage, PictureMessage, TextMessage, URLMessage, VideoMessage

from bots.viber.outbound.pieces import extension, is_picture
from gateway.domain.channel.errors import Refused
from gateway.domain.model.nouns import Button, Content, Media

MAX_ROWS, MAX_LABEL = 24, 250
MAX_VIDEO, MAX_FILE, MAX_FILE_NAME = 26 * 1000**2, 50 * 1000**2, 256
START = "Start"
CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What may follow /start. A link that somebody else made may carry anything."""

Json = dict[str, Any]


def render(sender: Json, content: Content, size: int | None = None) -> Json:
    """Return a message without its receiver. `size`: bytes of its file, where known. Raises Refused."""
    viber_keyboard = keyboard(content.buttons) if content.buttons else None
    message = _file(content.media, content.text, size) if content.media else TextMessage(text=content.text)
    sender_fields = sender | ({"name": content.sender} if content.sender else {})
    fields = {"sender": sender_fields, "min_api_version": 1, **message.to_dict(), "keyboard": viber_keyboard}
    return {name: value for name, value in fields.items() if value is not None}


def welcome(sender: Json, text: str, context: str) -> Json:
    """Return the answer to a person who has opened the chat. Callbacks: Sending a welcome message.

    Its button carries the deep link's code, which is for us and is not shown.
    """
    code = f" {context}" if CODE.fullmatch(context) else ""
    message = render(sender, Content(text, buttons=(Button(START, reply=f"/start{code}"),)))
    message["keyboard"]["Buttons"][0]["Silent"] = True
    return message


def keyboard(buttons: Sequence[Button]) -> Json:
    """Return a keyboard of one button a row. Raises Refused where there are more than Viber shows. Viber docs:
    Keyboards.
    """
    if len(buttons) > MAX_ROWS:
        raise Refused(f"Viber shows at most {MAX_ROWS} buttons")
    return {"Type": "keyboard", "DefaultHeight": False, "Buttons": [_button(button) for button in buttons]}


def _button(button: Button) -> Json:
    """Build a button.

    One that opens an address is silent: Viber would write the address into the chat as the person's.
    """
    key = {"Columns": 6, "Rows": 1, "Text": _label(button.text), "TextSize": "regular"}
    if button.url:
        return {**key, "ActionType": "open-url", "ActionBody": button.url, "Silent": True}
    return {**key, "ActionType": "reply", "ActionBody": button.reply or button.text}


def _label(text: str) -> str:
    """Return a button's text, escaped and cut: Viber reads it as HTML."""
    text = text[:MAX_LABEL]
    while len(escape(text, quote=False)) > MAX_LABEL:
        text = text[:-1]
    return escape(text, quote=False)


def _file(media: Media, caption: str, size: int | None) -> Any:
    """Return a picture, a video or a file where Viber accepts it as such; otherwise a link."""
    if is_picture(media):
        return PictureMessage(text=caption, media=media.url)
    if media.type == "video" and extension(media) == ".mp4" and size and size <= MAX_VIDEO:
        return VideoMessage(media=media.url, size=size)
    name = media.name or PurePosixPath(urlsplit(media.url).path).name
    if size and size <= MAX_FILE and 0 < len(name) <= MAX_FILE_NAME:
        return FileMessage(media=media.url, size=size, file_name=name)
    return URLMessage(media=media.url)

"""Builds our messages in Viber's format, without any I/O. REST Bot API: Message types; Keyboards.

Everything here is of API level 1, which every Viber understands.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from viberbot.api.messages import FileMessage, PictureMessage, TextMessage, URLMessage, VideoMessage

from bots.viber.outbound.media import Remote
from bots.viber.outbound.pieces import is_picture
from bots.wire.files import as_link, extension, file_name
from gateway.domain.channel.errors import Refused
from gateway.domain.model.nouns import Button, Content, Media

MAX_ROWS, MAX_LABEL = 24, 250
MAX_PICTURE, MAX_VIDEO, MAX_FILE = 1000**2, 26 * 1000**2, 50 * 1000**2
MAX_FILE_NAME, MAX_URL = 256, 2000
START = "Start"
CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What may follow /start. A link that somebody else made may carry anything."""

Json = dict[str, Any]


def render(sender: Json, content: Content, file: Remote | None = None) -> Json:
    """Return a message without its receiver. `file`: what is known of its file. Raises Refused."""
    viber_keyboard = keyboard(content.buttons) if content.buttons else None
    message = _file(content, content.media, file) if content.media else TextMessage(text=content.text)
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


def _file(content: Content, media: Media, file: Remote | None) -> Any:
    """Return a picture, a video or a file where Viber accepts it as such; otherwise a link, under the text if any."""
    size, name = file.size if file else None, file_name(media, file.content_type if file else "")
    if len(media.url) > MAX_URL:
        return TextMessage(text=as_link(content).text)
    if is_picture(media) and (size or 0) <= MAX_PICTURE:
        return PictureMessage(text=content.text, media=media.url)
    if content.text:
        return TextMessage(text=as_link(content).text)
    if media.type == "video" and extension(media.url) == ".mp4" and size and size <= MAX_VIDEO:
        return VideoMessage(media=media.url, size=size)
    if size and size <= MAX_FILE and len(name) <= MAX_FILE_NAME:
        return FileMessage(media=media.url, size=size, file_name=name)
    return URLMessage(media=media.url)

"""Builds the Bot API's calls for our messages. Bot API: sendMessage, sendPhoto and the like, InlineKeyboardMarkup."""

from collections.abc import Mapping, Sequence

from aiogram.methods import (
    SendAnimation,
    SendAudio,
    SendDocument,
    SendMessage,
    SendPhoto,
    SendSticker,
    SendVideo,
    SendVideoNote,
    SendVoice,
    TelegramMethod,
)
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, InputFile, LinkPreviewOptions, Message

from bots.telegram.outbound.pieces import MAX_REPLY, WITHOUT_CAPTION, takes_reply
from gateway.domain.channel.errors import Refused
from gateway.domain.model.nouns import Button, Content, Media, TemplateMessage

BY_TYPE: Mapping[str, tuple[type[TelegramMethod[Message]], str]] = {
    "image": (SendPhoto, "photo"),
    "video": (SendVideo, "video"),
    "video_note": (SendVideoNote, "video_note"),
    "animation": (SendAnimation, "animation"),
    "audio": (SendAudio, "audio"),
    "voice": (SendVoice, "voice"),
    "document": (SendDocument, "document"),
    "sticker": (SendSticker, "sticker"),
}


def render(chat: str, message: Content | TemplateMessage, file: str | InputFile = "") -> TelegramMethod[Message]:
    """Return the Bot API's call for one piece, always as plain text. `file`: how its file is handed over.

    Raises Refused for what Telegram cannot express.
    """
    if isinstance(message, TemplateMessage):
        raise Refused("Telegram has no templates")
    method = _media(chat, message, message.media, file) if message.media else _text(chat, message)
    return method.model_copy(update={"message_thread_id": int(message.thread)}) if message.thread else method


def _text(chat: str, message: Content) -> TelegramMethod[Message]:
    if not message.text.strip():
        raise Refused("the message is empty")
    # A preview would have Telegram fetch the links, and some links work only once.
    preview = LinkPreviewOptions(is_disabled=True)
    return SendMessage(
        chat_id=chat, text=message.text, reply_markup=_keyboard(message.buttons), link_preview_options=preview
    )


def _media(chat: str, message: Content, media: Media, file: str | InputFile) -> TelegramMethod[Message]:
    method, field = BY_TYPE.get(media.type, BY_TYPE["document"])
    if not file:
        raise Refused("the media has neither an id nor a url")
    extra = {"caption": message.text} if message.text and media.type not in WITHOUT_CAPTION else {}
    return method.model_validate({"chat_id": chat, field: file, "reply_markup": _keyboard(message.buttons), **extra})


def _keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """Return a keyboard of one button a row, so that whole words stay readable on a phone."""
    return InlineKeyboardMarkup(inline_keyboard=[[_button(button)] for button in buttons]) if buttons else None


def _button(button: Button) -> InlineKeyboardButton:
    if button.url:
        return InlineKeyboardButton(text=button.text, url=button.url)
    reply = button.reply or button.text
    if not takes_reply(reply):
        raise Refused(f"the reply of the button {button.text!r} is too long; Telegram takes {MAX_REPLY} bytes")
    return InlineKeyboardButton(text=button.text, callback_data=reply)

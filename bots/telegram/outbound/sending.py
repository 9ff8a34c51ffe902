"""Calls Telegram through aiogram. Bot API: Available methods."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import TypeVar

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError, TelegramRetryAfter
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteMessage,
    DeleteWebhook,
    GetFile,
    GetWebhookInfo,
    Response,
    SetWebhook,
    TelegramMethod,
)
from aiogram.types import InputFile, Message, WebhookInfo

from bots.telegram.errors import UNREADABLE, Migrated, send_error
from bots.telegram.inbound.webhook import READERS
from bots.telegram.outbound.files import Files
from bots.telegram.outbound.messages import render
from bots.wire import wire
from bots.wire.downloads import GONE as FILE_GONE
from bots.wire.downloads import Pieces, download
from gateway.domain.channel.contract import Binding
from gateway.domain.channel.errors import Ambiguous, Refused, SendError
from gateway.domain.channel.file import Load, load_nothing
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Content, TemplateMessage

MANY_PENDING = 100
GONE = "message to delete not found"
TOO_MANY = 429
PAUSE = 1
"""Seconds to wait where Telegram, or a proxy in front of it, names no time. Bot API: ResponseParameters."""

UPLOADING = 55
"""Seconds for a message with a file's bytes; with the time to fetch them less than the lease of a send."""

T = TypeVar("T")


class SharedSession(AiohttpSession):
    """aiogram's session over the connections of the whole process, with our time limits."""

    def __init__(self, api_url: str, http: aiohttp.ClientSession, timeout: aiohttp.ClientTimeout) -> None:
        super().__init__(api=TelegramAPIServer.from_base(api_url), timeout=timeout)
        self._shared = http

    async def create_session(self) -> aiohttp.ClientSession:
        return self._shared

    def check_response(self, bot: Bot, method: TelegramMethod[T], status_code: int, content: str) -> Response[T]:
        """Check a response; every 429 becomes TelegramRetryAfter, with or without `parameters`, in JSON or not.

        Whoever answers 429 has sent nothing.
        """
        try:
            return super().check_response(bot, method, status_code, content)
        except TelegramRetryAfter:
            raise
        except AiogramError:
            if status_code == TOO_MANY:
                raise TelegramRetryAfter(method, "", PAUSE) from None
            raise

    async def close(self) -> None:
        """Do nothing: the HTTP session is not ours to close."""


class Sender:
    """One bot's client of the Bot API. Every method raises SendError, and no other error of the network."""

    def __init__(
        self,
        token: Secret,
        api_url: str,
        http: aiohttp.ClientSession,
        files: aiohttp.ClientSession,
        timeout: aiohttp.ClientTimeout = wire.TIMEOUT,
        load: Load = load_nothing,
    ) -> None:
        self.files = Files(files, load)
        self._token = token
        self._http, self._api_url = http, api_url
        self._session = partial(SharedSession, api_url, http, timeout)

    @cached_property
    def _bot(self) -> Bot:
        """Return the bot, created when first needed: aiogram's session reads a file of certificates."""
        return Bot(self._token.reveal(), self._session())

    async def send(self, chat: str, message: Content | TemplateMessage) -> str:
        """Send one piece and return "chat/message".

        Follows a group, once, to the new id that it got as a supergroup.
        """
        if isinstance(message, Content) and (media := message.media):
            result = await self.files.send(message, media, partial(self._send, chat))
        else:
            result = await self._send(chat, message)
        return f"{result.chat.id}/{result.message_id}"

    async def _send(self, chat: str, message: Content | TemplateMessage, file: str | InputFile = "") -> Message:
        method, timeout = render(chat, message, file), UPLOADING if isinstance(file, InputFile) else None
        try:
            return await self._call(method, timeout)
        except Migrated as migration:
            return await self._call(method.model_copy(update={"chat_id": migration.chat}), timeout)

    async def recall(self, message: str) -> None:
        """Delete a message of ours, by the id that `send` returned. One that is already gone counts as deleted."""
        chat, _, number = message.partition("/")
        try:
            await self._call(DeleteMessage(chat_id=chat, message_id=int(number)))
        except Refused as refusal:
            if GONE not in str(refusal):
                raise

    async def open_file(self, file_id: str) -> Pieces:
        """Return the bytes of a file, of at most 20 MB (Bot API: getFile). Its address holds the token."""
        file = await self._call(GetFile(file_id=file_id))
        if not file.file_path:
            raise Refused(FILE_GONE)
        server = TelegramAPIServer.from_base(self._api_url)
        return download(self._http, server.file_url(self._token.reveal(), file.file_path))

    async def answer(self, callback_id: str) -> None:
        """Stop the button's spinner.

        Ignores errors: an expired query cannot be answered, and nothing is lost by that.
        """
        with suppress(SendError):
            await self._call(AnswerCallbackQuery(callback_query_id=callback_id))

    async def set_webhook(self, url: str, secret: Secret) -> None:
        await self._call(SetWebhook(url=url, secret_token=secret.reveal(), allowed_updates=list(READERS)))

    async def binding(self) -> Binding:
        info = await self._call(GetWebhookInfo())
        return Binding(info.url, problems(info))

    async def delete_webhook(self) -> None:
        await self._call(DeleteWebhook())

    async def _call(self, method: TelegramMethod[T], timeout: int | None = None) -> T:
        """Call a method and return its result. Raises Ambiguous for an answer that makes no sense: it may have been
        sent.

        aiogram stumbles over an error without a description, aiohttp over bytes that are no text.
        """
        result: T | None = None
        try:
            result = await self._bot(method, timeout)
        except AiogramError as error:
            raise send_error(error) from None
        except (TypeError, ValueError, LookupError):
            raise Ambiguous(UNREADABLE) from None
        if result is None:
            raise Ambiguous(UNREADABLE)
        return result


def problems(info: WebhookInfo) -> Sequence[str]:
    """Return what is wrong with a bot's webhook, a sentence each. Bot API: WebhookInfo."""
    sentences = []
    if info.url and info.allowed_updates and (missing := set(READERS).difference(info.allowed_updates)):
        sentences.append(f"the webhook leaves out {', '.join(sorted(missing))}")
    if info.last_error_message and info.last_error_date:
        sentences.append(f"a delivery failed at {info.last_error_date:%Y-%m-%d %H:%M} UTC: {info.last_error_message}")
    if info.pending_update_count > MANY_PENDING:
        sentences.append(f"{info.pending_update_count} updates wait to be delivered")
    return sentences

"""Our calls to Telegram, through aiogram. Bot API: Available methods."""

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
    GetWebhookInfo,
    Response,
    SetWebhook,
    TelegramMethod,
)
from aiogram.types import WebhookInfo

from bots.telegram.errors import UNREADABLE, Migrated, explained
from bots.telegram.inbound.webhook import READERS
from bots.telegram.outbound.messages import render
from bots.wire import wire
from gateway.domain.channel.contract import Binding
from gateway.domain.channel.errors import Ambiguous, Refused, SendError
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Content, TemplateMessage

MANY_PENDING = 100
GONE = "message to delete not found"
TOO_MANY = 429
PAUSE = 1
"""Seconds to wait where Telegram, or a proxy before it, does not say for how long. Bot API: ResponseParameters."""

T = TypeVar("T")


class SharedSession(AiohttpSession):
    """aiogram's session over the connections of the whole process, with our time limits."""

    def __init__(self, api_url: str, http: aiohttp.ClientSession, timeout: aiohttp.ClientTimeout) -> None:
        super().__init__(api=TelegramAPIServer.from_base(api_url), timeout=timeout)
        self._shared = http

    async def create_session(self) -> aiohttp.ClientSession:
        return self._shared

    def check_response(self, bot: Bot, method: TelegramMethod[T], status_code: int, content: str) -> Response[T]:
        """Whoever answers 429 has sent nothing, with or without `parameters`, in JSON or not."""
        try:
            return super().check_response(bot, method, status_code, content)
        except TelegramRetryAfter:
            raise
        except AiogramError:
            if status_code == TOO_MANY:
                raise TelegramRetryAfter(method, "", PAUSE) from None
            raise

    async def close(self) -> None:
        """Not ours to close."""


class Sender:
    """One bot's side of the wire. Every method raises SendError, and nothing else on the wire's account."""

    def __init__(
        self,
        token: Secret,
        api_url: str,
        http: aiohttp.ClientSession,
        timeout: aiohttp.ClientTimeout = wire.TIMEOUT,
    ) -> None:
        self._token = token
        self._session = partial(SharedSession, api_url, http, timeout)

    @cached_property
    def _bot(self) -> Bot:
        """Made when first needed: aiogram's session reads a file of certificates."""
        return Bot(self._token.reveal(), self._session())

    async def send(self, chat: str, what: Content | TemplateMessage) -> str:
        """Send one piece; a group that has become a supergroup is followed, once, to its new id."""
        method = render(chat, what)
        try:
            sent = await self._ask(method)
        except Migrated as moved:
            sent = await self._ask(method.model_copy(update={"chat_id": moved.chat}))
        return f"{sent.chat.id}/{sent.message_id}"

    async def recall(self, message: str) -> None:
        """Delete a message of ours, by the id that `send` gave it; one that is gone already is as it should be."""
        chat, _, number = message.partition("/")
        try:
            await self._ask(DeleteMessage(chat_id=chat, message_id=int(number)))
        except Refused as refused:
            if GONE not in str(refused):
                raise

    async def answer(self, callback_id: str) -> None:
        """Stop the button's spinner. A query that has expired cannot be answered, and nothing is lost by that."""
        with suppress(SendError):
            await self._ask(AnswerCallbackQuery(callback_query_id=callback_id))

    async def set_webhook(self, url: str, secret: Secret) -> None:
        await self._ask(SetWebhook(url=url, secret_token=secret.reveal(), allowed_updates=list(READERS)))

    async def binding(self) -> Binding:
        info = await self._ask(GetWebhookInfo())
        return Binding(info.url, problems(info))

    async def delete_webhook(self) -> None:
        await self._ask(DeleteWebhook())

    async def _ask(self, method: TelegramMethod[T]) -> T:
        """Answers that make no sense are no proof that nothing was sent.

        aiogram stumbles over an error without a description, aiohttp over bytes that are no text.
        """
        result: T | None = None
        try:
            result = await self._bot(method)
        except AiogramError as error:
            raise explained(error) from None
        except (TypeError, ValueError, LookupError):
            raise Ambiguous(UNREADABLE) from None
        if result is None:
            raise Ambiguous(UNREADABLE)
        return result


def problems(info: WebhookInfo) -> Sequence[str]:
    """What is wrong with a bot's webhook, a sentence each. Bot API: WebhookInfo."""
    found = []
    if info.url and info.allowed_updates and (missing := set(READERS).difference(info.allowed_updates)):
        found.append(f"the webhook leaves out {', '.join(sorted(missing))}")
    if info.last_error_message and info.last_error_date:
        found.append(f"a delivery failed at {info.last_error_date:%Y-%m-%d %H:%M} UTC: {info.last_error_message}")
    if info.pending_update_count > MANY_PENDING:
        found.append(f"{info.pending_update_count} updates wait to be delivered")
    return found

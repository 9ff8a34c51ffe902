"""Translates Telegram's refusals into SendErrors, which say what each means for the message.

Bot API: Making requests, ResponseParameters.
"""

from datetime import timedelta

from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiohttp import ClientConnectorError, ConnectionTimeoutError

from bots.wire.wire import LONGEST
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, SendError, Stopped, Throttled, Unavailable

UNREADABLE = "Telegram's answer cannot be read; it may have been sent"

MEANINGS: dict[type[TelegramAPIError], type[SendError]] = {
    TelegramBadRequest: Refused,
    TelegramUnauthorizedError: Misconfigured,
    TelegramForbiddenError: Stopped,
    TelegramNotFound: Misconfigured,
    TelegramConflictError: Misconfigured,
    TelegramEntityTooLarge: Refused,
    TelegramServerError: Ambiguous,
}
"""Telegram answers 404 to a token that never existed, not to a missing chat."""


class Migrated(Refused):
    """Raised where the group has become a supergroup. `chat` is its new id."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"Telegram: the group has moved to {chat}")
        self.chat = chat


class NotFetched(Refused):
    """Raised where Telegram cannot fetch a file by its address, or not as what it was to be."""


FILE_AT_FAULT = ("http url", "web page content", "file identifier", "file to send mismatch", "by url")
"""What Telegram's descriptions say then, in lower case."""


def send_error(error: AiogramError) -> SendError:
    """Return our error for one of aiogram's.

    Its text holds Telegram's description, but never a URL, because URLs carry the token.
    """
    match error:
        case TelegramRetryAfter():
            wait = timedelta(seconds=min(error.retry_after, LONGEST.total_seconds()))
            return Throttled(f"Telegram: Too Many Requests, again in {error.retry_after} s", wait)
        case TelegramMigrateToChat():
            return Migrated(error.migrate_to_chat_id)
        case TelegramNetworkError() if not isinstance(error, TelegramEntityTooLarge):
            return _network_error(error.__cause__)
        case TelegramAPIError():
            return _response_error(error)
    return Ambiguous(UNREADABLE)


def _response_error(error: TelegramAPIError) -> SendError:
    if isinstance(error, TelegramBadRequest) and any(words in error.message.lower() for words in FILE_AT_FAULT):
        return NotFetched(f"Telegram: {error.message}")
    error_types = (error_type for telegram_type, error_type in MEANINGS.items() if isinstance(error, telegram_type))
    return next(error_types, Refused)(f"Telegram: {error.message}")


def _network_error(cause: BaseException | None) -> SendError:
    if isinstance(cause, ClientConnectorError | ConnectionTimeoutError):
        return Unavailable("Telegram could not be reached")
    if isinstance(cause, TimeoutError):
        return Ambiguous("Telegram did not answer in time; it may have been sent")
    return Ambiguous(f"the connection to Telegram broke ({type(cause).__name__}); it may have been sent")

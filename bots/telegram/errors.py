"""Telegram's refusals in our words: what each means for the message. Bot API: Making requests, ResponseParameters."""

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
"""404 is what Telegram answers to a token that never was one, not to a missing chat."""


class Migrated(Refused):
    """The group has become a supergroup, and lives on under a new id."""

    def __init__(self, chat: int) -> None:
        super().__init__(f"Telegram: the group has moved to {chat}")
        self.chat = chat


def explained(error: AiogramError) -> SendError:
    """Our error for one of aiogram's. The texts hold Telegram's description, never a URL: those carry the token."""
    match error:
        case TelegramRetryAfter():
            wait = timedelta(seconds=min(error.retry_after, LONGEST.total_seconds()))
            return Throttled(f"Telegram: Too Many Requests, again in {error.retry_after} s", wait)
        case TelegramMigrateToChat():
            return Migrated(error.migrate_to_chat_id)
        case TelegramNetworkError() if not isinstance(error, TelegramEntityTooLarge):
            return _of_the_wire(error.__cause__)
        case TelegramAPIError():
            return _of_the_answer(error)
    return Ambiguous(UNREADABLE)


def _of_the_answer(error: TelegramAPIError) -> SendError:
    meaning = next((ours for theirs, ours in MEANINGS.items() if isinstance(error, theirs)), Refused)
    return meaning(f"Telegram: {error.message}")


def _of_the_wire(cause: BaseException | None) -> SendError:
    if isinstance(cause, ClientConnectorError | ConnectionTimeoutError):
        return Unavailable("Telegram could not be reached")
    if isinstance(cause, TimeoutError):
        return Ambiguous("Telegram did not answer in time; it may have been sent")
    return Ambiguous(f"the connection to Telegram broke ({type(cause).__name__}); it may have been sent")

"""How sending can fail. Each error is named by what happens next."""

from datetime import timedelta
from typing import ClassVar

from gateway.domain.model.nouns import Cause


class SendError(Exception):
    """A message did not go out. The class says what happens next; the text says why, in words for operators."""

    cause: ClassVar[Cause]


class Unavailable(SendError):
    """Certainly not sent; worth trying again, after `retry_after` if the provider named a time."""

    cause = Cause.UNAVAILABLE

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Throttled(Unavailable):
    """We call too often: certainly not sent, and not only this message but the whole account has to wait."""


class Refused(SendError):
    """Will never work for this message and address: the cascade moves on."""

    cause = Cause.REFUSED


class WindowClosed(Refused):
    """The provider says the reply window is shut: the session is corrected and the same rule picks the template."""

    cause = Cause.WINDOW_CLOSED


class Stopped(Refused):
    """The person has blocked us, unsubscribed, or never allowed us: the session is marked."""

    cause = Cause.STOPPED


class TemplateUnusable(Refused):
    """The template is missing, paused or disabled: it is marked, and the cascade moves on."""

    cause = Cause.TEMPLATE_UNUSABLE


class Misconfigured(SendError):
    """Our account is at fault (token, permission, payment): the account is held, its messages wait."""

    cause = Cause.MISCONFIGURED


class Ambiguous(SendError):
    """The request left and no answer came: it may have been sent. Never blindly sent again."""

    cause = Cause.AMBIGUOUS

"""The errors of sending. Each is named by what happens next."""

from datetime import timedelta
from typing import ClassVar

from gateway.domain.model.nouns import Cause


class SendError(Exception):
    """A message was not sent. The class decides what happens next; the text tells operators why."""

    cause: ClassVar[Cause]


class Unavailable(SendError):
    """The message was certainly not sent, and it is tried again, after `retry_after` if the provider named a time."""

    cause = Cause.UNAVAILABLE

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Throttled(Unavailable):
    """We call too often. The message was certainly not sent, and the whole account has to wait."""


class Refused(SendError):
    """The message can never be sent to this address: the cascade moves on."""

    cause = Cause.REFUSED


class WindowClosed(Refused):
    """The provider says that the reply window is closed: the session is corrected, and the rule picks the template."""

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
    """The request left and no answer came, so the message may have been sent. It is never blindly sent again."""

    cause = Cause.AMBIGUOUS

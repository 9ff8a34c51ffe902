"""Viber's statuses in our words: the same table for a refused call and for one receiver of a broadcast.

REST Bot API: Error codes. Viber answers 200 to everything; only the status in the answer counts.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from bots.wire.wire import Reply
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, SendError, Stopped, Throttled, Unavailable

OK, TOO_MANY, SERVER_ERROR = 200, 429, 500

PAUSE = timedelta(seconds=1)
"""After too many calls; Viber names none."""

BAD_TOKEN = 2
"""Viber's own words to this may quote the token, so ours stand alone."""


class NotAllowed(Misconfigured):
    """The account may not send broadcasts; the same messages may go out one by one."""


UNANSWERED = (
    "Viber got no answer from the webhook's address: the gateway has to be running while it is bound, "
    "and to be reached by https with a certificate of a known authority"
)

STATUSES: Mapping[int, tuple[type[SendError], str]] = {
    1: (Misconfigured, UNANSWERED),
    2: (Misconfigured, "the auth_token is not valid"),
    3: (Refused, "Viber does not understand a part of the message"),
    4: (Refused, "a part of the message is missing"),
    5: (Refused, "the person is not registered with Viber"),
    6: (Stopped, "the person is not subscribed"),
    7: (Misconfigured, "the account is blocked"),
    8: (Misconfigured, "there is no such account"),
    9: (Misconfigured, "the account is suspended"),
    10: (Misconfigured, "the account has no webhook, and Viber wants one before it sends anything"),
    11: (Refused, "the person has no device that can show the message"),
    12: (Throttled, "too many messages"),
    13: (Refused, "the person's Viber is too old for the message"),
    14: (Refused, "the message's fields are newer than the version that it names"),
    15: (Misconfigured, "the account is not authorised"),
    16: (Refused, "inline messages are not allowed"),
    17: (Refused, "the account is not an inline one"),
    18: (NotAllowed, "the account has no public chat"),
    19: (NotAllowed, "the account cannot send broadcasts"),
    20: (NotAllowed, "the account may not send broadcasts"),
}


DIGITS = re.compile(r"[0-9]{1,18}")


def number_of(status: object) -> int | None:
    """The status as a number, which may come as its digits; None where it is none."""
    if isinstance(status, str):
        return int(status) if DIGITS.fullmatch(status) else None
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def failure(status: object, told: object) -> SendError:
    """What a status other than 0 means; `told` is Viber's own word for it.

    A number that is new to us says at least that nothing was sent, so it is worth trying again. What is no number says
    nothing.
    """
    number = number_of(status)
    if number is None:
        return Ambiguous("Viber's answer has a status that is no number; it may have been sent")
    error, words = STATUSES.get(number, (Unavailable, "Viber has a trouble that is unknown to us"))
    said = f" {told}" if isinstance(told, str) and number != BAD_TOKEN else ""
    text = f"{words} ({number}{said})"
    return Throttled(text, PAUSE) if error is Throttled else error(text)


def of_receiver(status: object, told: object) -> SendError:
    """The same for one receiver of a broadcast: as the others got it, "too many" is about this person alone."""
    error = failure(status, told)
    return Unavailable(str(error)) if isinstance(error, Throttled) else error


def unreadable(reply: Reply) -> SendError:
    """What an answer without a status means: it was cut short, or is somebody else's."""
    if reply.status == TOO_MANY:
        return Throttled("HTTP 429: too many calls", reply.retry_after or PAUSE)
    if reply.status == OK or reply.status >= SERVER_ERROR:
        return Ambiguous(f"HTTP {reply.status} without a readable answer; it may have been sent")
    return Misconfigured(f"HTTP {reply.status} that is not Viber's: look at api_url and at proxies on the way")

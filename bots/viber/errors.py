"""Translates Viber's statuses into SendErrors: one table for a refused call and for one receiver of a broadcast.

REST Bot API: Error codes. Viber answers 200 to everything; only the status in the answer counts.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from bots.wire.wire import Reply
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, SendError, Stopped, Throttled, Unavailable

OK, TOO_MANY, SERVER_ERROR = 200, 429, 500

PAUSE = timedelta(seconds=1)
"""The pause after too many calls; Viber names none."""

BAD_TOKEN = 2
"""Viber's own words for this status may quote the token, so only ours are shown."""


class NotAllowed(Misconfigured):
    """Raised where the account may not send broadcasts; the same messages may go out one by one."""


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
    """Return the status as a number, which may also come as its digits. Returns None where it is no number."""
    if isinstance(status, str):
        return int(status) if DIGITS.fullmatch(status) else None
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def failure(status: object, viber_text: object) -> SendError:
    """Return the error that a status other than 0 means. `viber_text`: Viber's own words for it.

    An unknown number says at least that nothing was sent, so another attempt is worthwhile: Unavailable. A status that
    is no number says nothing: Ambiguous.
    """
    number = number_of(status)
    if number is None:
        return Ambiguous("Viber's answer has a status that is no number; it may have been sent")
    error, description = STATUSES.get(number, (Unavailable, "Viber has a trouble that is unknown to us"))
    suffix = f" {viber_text}" if isinstance(viber_text, str) and number != BAD_TOKEN else ""
    text = f"{description} ({number}{suffix})"
    return Throttled(text, PAUSE) if error is Throttled else error(text)


def receiver_failure(status: object, viber_text: object) -> SendError:
    """Return the error for one receiver of a broadcast. "Too many" is about this person alone: the others got the
    message.
    """
    error = failure(status, viber_text)
    return Unavailable(str(error)) if isinstance(error, Throttled) else error


def unreadable_failure(reply: Reply) -> SendError:
    """Return the error for a response without a status: it was cut short, or did not come from Viber."""
    if reply.status == TOO_MANY:
        return Throttled("HTTP 429: too many calls", reply.retry_after or PAUSE)
    if reply.status == OK or reply.status >= SERVER_ERROR:
        return Ambiguous(f"HTTP {reply.status} without a readable answer; it may have been sent")
    return Misconfigured(f"HTTP {reply.status} that is not Viber's: look at api_url and at proxies on the way")

"""Translates Twilio's error codes into causes and SendErrors.

Twilio docs: Error and Warning Dictionary, https://www.twilio.com/docs/api/errors.
"""

from collections.abc import Mapping
from datetime import timedelta

from bots.wire.wire import Reply
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, SendError, Stopped, Throttled, Unavailable
from gateway.domain.model.nouns import Cause

CODES: dict[int, tuple[Cause, str]] = {
    10001: (Cause.MISCONFIGURED, "the account is not active"),
    14107: (Cause.UNAVAILABLE, "too many messages to this number within half a minute"),
    20003: (Cause.MISCONFIGURED, "account_sid or auth_token is wrong"),
    20005: (Cause.MISCONFIGURED, "the account is not active"),
    20404: (Cause.MISCONFIGURED, "there is no such account; check account_sid and api_url"),
    20429: (Cause.UNAVAILABLE, "too many requests"),
    21211: (Cause.REFUSED, "this is not a phone number"),
    21212: (Cause.MISCONFIGURED, "the sender is not a phone number or name that may send"),
    21217: (Cause.REFUSED, "this is not a valid phone number"),
    21265: (Cause.REFUSED, "a short code cannot receive messages"),
    21266: (Cause.REFUSED, "the sender and the recipient are the same number"),
    21408: (Cause.REFUSED, "sending to this country is not enabled for the account"),
    21602: (Cause.REFUSED, "the message is empty"),
    21603: (Cause.MISCONFIGURED, "no sender was given"),
    21604: (Cause.REFUSED, "no recipient was given"),
    21606: (Cause.MISCONFIGURED, "the sender may not send messages from this account"),
    21608: (Cause.REFUSED, "a trial account writes only to numbers that were verified"),
    21609: (Cause.MISCONFIGURED, "the status callback address is not acceptable; check the gateway's public URL"),
    21610: (Cause.STOPPED, "the person has opted out by answering STOP"),
    21611: (Cause.UNAVAILABLE, "the sender's queue is full"),
    21612: (Cause.REFUSED, "this sender cannot reach this number"),
    21614: (Cause.REFUSED, "this is not a mobile number"),
    21616: (Cause.MISCONFIGURED, "the sender matches several numbers of the account"),
    21617: (Cause.REFUSED, "the text is longer than 1600 characters"),
    21635: (Cause.REFUSED, "this is a landline"),
    21659: (Cause.MISCONFIGURED, "the sender is not a number of the provider's"),
    21660: (Cause.MISCONFIGURED, "the sender belongs to another account"),
    21661: (Cause.MISCONFIGURED, "the sender cannot send messages"),
    21701: (Cause.MISCONFIGURED, "there is no such messaging service"),
    21704: (Cause.MISCONFIGURED, "the messaging service has no numbers"),
    21705: (Cause.MISCONFIGURED, "the messaging service is not valid"),
    30001: (Cause.UNAVAILABLE, "the sender's queue overflowed"),
    30002: (Cause.MISCONFIGURED, "the account was suspended"),
    30003: (Cause.UNAVAILABLE, "the phone cannot be reached"),
    30004: (Cause.REFUSED, "the person or the carrier blocks messages"),
    30005: (Cause.REFUSED, "the number is unknown or no longer in use"),
    30006: (Cause.REFUSED, "this is a landline, or its carrier cannot be reached"),
    30007: (Cause.REFUSED, "the carrier filtered the message"),
    30008: (Cause.REFUSED, "not delivered, for a reason the carrier does not name"),
    30017: (Cause.UNAVAILABLE, "the carrier's network is congested"),
    30022: (Cause.UNAVAILABLE, "the carrier allows fewer messages a second"),
    30023: (Cause.UNAVAILABLE, "the carrier's daily limit is reached"),
    30032: (Cause.REFUSED, "the toll-free sender was not verified for this country"),
    30034: (Cause.REFUSED, "the sender is not registered for the United States"),
    30036: (Cause.REFUSED, "the message waited too long at the provider"),
    30410: (Cause.AMBIGUOUS, "the carrier did not answer the provider in time"),
    30500: (Cause.UNAVAILABLE, "an error inside the provider"),
}

SENDERS = frozenset({21212, 21606, 21659, 21660, 21661})
"""Codes about the sender: our account's fault, or the message's where it named a sender."""

CLASSES: dict[Cause, type[SendError]] = {error.cause: error for error in (Refused, Stopped, Misconfigured, Ambiguous)}

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
THROTTLED: Mapping[int, timedelta] = {20429: SECOND, 21611: MINUTE}
"""Codes after which the whole account waits, and for how long where Twilio names no time."""

TOO_MANY, SERVER_FAULT = 429, 500


def failure(reply: Reply, *, has_own_sender: bool = False) -> SendError:
    """Return the error that a response which is not a 2xx means for the message.

    has_own_sender: the message named its sender itself, so a wrong sender is the message's fault.
    """
    code, message = _read_error(reply.json)
    words = f"{CODES[code][1]} ({code})" if code in CODES else f"HTTP {reply.status}: {message}"
    if reply.status >= SERVER_FAULT:
        return Ambiguous(f"{words}; it may have been sent")
    if reply.status == TOO_MANY or code in THROTTLED:
        return Throttled(words, reply.retry_after or THROTTLED.get(code, SECOND))
    if has_own_sender and code in SENDERS:
        return Refused(words)
    cause = CODES[code][0] if code in CODES else _cause_of_status(reply.status)
    return Unavailable(words, reply.retry_after) if cause is Cause.UNAVAILABLE else CLASSES[cause](words)


def delivery_failure(code: str) -> tuple[Cause, str]:
    """Return why an accepted message was not delivered, from the ErrorCode of its status callback: cause and reason."""
    if code.isdecimal() and int(code) in CODES:
        cause, words = CODES[int(code)]
        return cause, f"{words} ({code})"
    return Cause.REFUSED, f"not delivered ({code})" if code else "not delivered"


def _read_error(json: object) -> tuple[int, str]:
    """Return the code and the message of an error response. Twilio docs: Twilio's response, exceptions."""
    if not isinstance(json, dict):
        return 0, "no explanation"
    code, message = json.get("code"), json.get("message")
    return code if isinstance(code, int) else 0, str(message or "no explanation")


def _cause_of_status(status: int) -> Cause:
    return Cause.REFUSED if status == 400 else Cause.MISCONFIGURED  # noqa: PLR2004 - "bad request" is about the message

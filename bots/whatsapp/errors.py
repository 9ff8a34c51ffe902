"""Translates Meta's error codes: one table for a refused call and for a `failed` status that comes later.

Cloud API: Error codes. Errors are recognised by `code` and `details`; Meta advises against titles and subcodes.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from bots.whatsapp.item import dig, word
from bots.wire.wire import Reply
from gateway.domain.channel.errors import (
    Ambiguous,
    Misconfigured,
    Refused,
    SendError,
    TemplateUnusable,
    Throttled,
    Unavailable,
    WindowClosed,
)
from gateway.domain.model.nouns import Cause

SERVER_ERROR = 500
TOO_MANY = 429
PAUSE = 5
"""Seconds in which a number's throughput recovers; Meta names no time."""

SUCCESS = range(200, 300)

TOKEN_CODES = {0, 190}
"""Meta's own text for these codes may quote the access token, so only ours is shown."""


class Meaning(NamedTuple):
    """What a code means for the message: our error, our words, and how long Meta wants us to wait."""

    error: type[SendError]
    words: str
    pause: timedelta | None = None


def _meanings(error: type[SendError], words: Mapping[int, str], seconds: int = 0) -> dict[int, Meaning]:
    pause = timedelta(seconds=seconds) if seconds else None
    return {code: Meaning(error, text, pause) for code, text in words.items()}


MEANINGS: Mapping[int, Meaning] = {
    **_meanings(Misconfigured, dict.fromkeys(range(200, 300), "the token lacks a permission")),
    **_meanings(Misconfigured, dict.fromkeys(range(133000, 133017), "the number's registration needs the operator")),
    **_meanings(
        Misconfigured,
        {
            0: "the access token is not accepted",
            190: "the access token is not accepted",
            3: "the app may not do this",
            10: "the app lacks a permission",
            131005: "the app lacks a permission",
            33: "the number is not there any more",
            133010: "the number is not registered",
            131045: "the number's certificate is not accepted",
            131037: "the number's display name is not approved",
            131042: "the payment method does not work",
            131044: "the account has no credit",
            131048: "the number is held back because people report it as spam",
            131064: "the number is held back for how its messages were classified",
            368: "the account is blocked for breaking Meta's policies",
            131031: "the account is locked",
            2200: "the webhook did not pass Meta's check",
        },
    ),
    **_meanings(
        Unavailable,
        {
            1: "Meta has trouble",
            2: "Meta is down or overloaded",
            131000: "something went wrong at Meta",
            131016: "Meta is overloaded",
            131057: "the account is in maintenance",
            133004: "Meta is down",
        },
    ),
    # A used-up burst is paid back at one message per pair in six seconds (Cloud API: Throughput).
    **_meanings(Unavailable, {131056: "too many messages to this person"}, 6),
    **_meanings(Throttled, {130429: "too many messages from this number"}, PAUSE),
    **_meanings(Throttled, {4: "too many calls of the app", 80007: "too many calls of the business account"}, 120),
    **_meanings(Unavailable, {134101: "the template is still being copied"}, 600),
    **_meanings(Unavailable, {132069: "the flow has been used too often"}, 3600),
    131047: Meaning(WindowClosed, "more than 24 hours since the person's last message"),
    **_meanings(
        Refused,
        {
            131026: "the person cannot get it: no WhatsApp, an old one, or its terms not accepted",
            131049: "Meta holds it back to spare the person; not again within 24 hours",
            131050: "the person wants no marketing from us",
            130472: "the person is in an experiment that gets no marketing",
            130403: "we have blocked this person",
            130497: "we may not write to people in this country",
            131062: "this message cannot go to a business-scoped user id",
            131063: "marketing messages are switched off in the Cloud API",
            135000: "Meta does not understand the message",
            131008: "a part of the message is missing",
            131009: "a part of the message is not valid",
            100: "a part of the message is not valid",
            131051: "this type of message is not supported",
            131021: "sender and recipient are the same",
            131052: "the file could not be downloaded",
            131053: "the file could not be uploaded",
            132000: "the template takes another number of values",
            132005: "the template's text becomes too long",
            132008: "the template's values do not fit",
            132012: "the template's values are of another kind",
            132018: "the template's values are not valid",
            132068: "the flow is blocked",
        },
    ),
    **_meanings(
        TemplateUnusable,
        {
            132001: "there is no such approved template in this language",
            132007: "the template breaks Meta's policy",
            132015: "the template is paused",
            132016: "the template is disabled",
        },
    ),
}


def refusal(reply: Reply) -> SendError:
    """Return the error for a response that holds no result."""
    error = dig(reply.json, "error")
    code = dig(error, "code")
    if not isinstance(code, int):
        return _no_code_error(reply)
    reason = explain(error)
    if code not in MEANINGS:
        return _unknown_code_error(reply, reason)
    meaning = MEANINGS[code]
    if issubclass(meaning.error, Unavailable):
        return meaning.error(reason, reply.retry_after or meaning.pause)
    return meaning.error(reason)


def cause(error: object) -> Cause:
    """Return why a message failed that Meta had accepted. An unknown code ends the attempt."""
    code = dig(error, "code")
    return MEANINGS[code].error.cause if isinstance(code, int) and code in MEANINGS else Cause.REFUSED


def explain(error: object) -> str:
    """Return an error of Meta's in words: its code, our words for it, and Meta's details."""
    code = dig(error, "code")
    meaning = MEANINGS.get(code) if isinstance(code, int) else None
    detail_paths = (("error_data", "details"), ("error_user_msg",), ("message",), ("title",))
    details = next(filter(None, (word(error, *path) for path in detail_paths)), "")
    parts = (meaning.words if meaning else "", "" if code in TOKEN_CODES else details)
    return f"{word(error, 'code') or 'no code'}: {'; '.join(filter(None, parts)) or 'no reason given'}"


def _unknown_code_error(reply: Reply, reason: str) -> SendError:
    """Return the error for an unknown code, by the response's status."""
    if reply.status == TOO_MANY:
        return Throttled(reason, reply.retry_after or timedelta(seconds=PAUSE))
    return (Ambiguous if reply.status >= SERVER_ERROR else Refused)(reason)


def _no_code_error(reply: Reply) -> SendError:
    """Return the error for a response without a code: Meta did not send it, or it was cut short."""
    if reply.status in SUCCESS or reply.status >= SERVER_ERROR:
        return Ambiguous(f"HTTP {reply.status} without a readable answer; it may have been sent")
    if reply.status == TOO_MANY:
        return Throttled("HTTP 429: too many calls", reply.retry_after or timedelta(seconds=PAUSE))
    return Misconfigured(f"HTTP {reply.status} that is not Meta's: look at api_url and at proxies on the way")

"""Translates VK's error codes into SendErrors, which say what each means for a message.

VK API: Error codes, https://dev.vk.com/ru/reference/errors; messages.send.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from gateway.domain.channel.errors import (
    Ambiguous,
    Misconfigured,
    Refused,
    SendError,
    Stopped,
    Throttled,
    Unavailable,
    WindowClosed,
)


class KeyboardRefused(Refused):
    """Raised where VK refuses the keyboard; the message itself may go without it."""


class RightMissing(Misconfigured):
    """Raised where the access token lacks a right; calls that do not need it still work."""


class AccessDenied(Refused):
    """Raised where VK denies access: to a file, or to what the access token has no right to."""


class Meaning(NamedTuple):
    """What a code means: our error, our words, and how long to wait where VK names no time."""

    error: type[SendError]
    words: str
    pause: timedelta | None = None


SECOND, MINUTES, HOUR = timedelta(seconds=1), timedelta(minutes=5), timedelta(hours=1)

MEANINGS: Mapping[int, Meaning] = {
    1: Meaning(Unavailable, "an unknown error inside VK"),
    2: Meaning(Misconfigured, "the application is switched off"),
    3: Meaning(Misconfigured, "VK does not know the method; check version and api_url"),
    5: Meaning(Misconfigured, "the access token is not valid"),
    6: Meaning(Throttled, "too many requests in a second", SECOND),
    7: Meaning(RightMissing, "the access token lacks the right to do this"),
    8: Meaning(Refused, "VK cannot read the request"),
    9: Meaning(Unavailable, "flood control: too many alike", MINUTES),
    10: Meaning(Unavailable, "an internal error of VK's server"),
    14: Meaning(Misconfigured, "VK wants a captcha to be solved, by a person in the community's settings"),
    15: Meaning(AccessDenied, "VK denies access, to a file of the message or to what the access token has no right to"),
    17: Meaning(Misconfigured, "VK wants the account to be validated, by a person"),
    18: Meaning(Refused, "the person's page was deleted or banned"),
    22: Meaning(Unavailable, "VK could not store the file"),
    27: Meaning(Misconfigured, "the community's access token is not valid"),
    28: Meaning(Misconfigured, "the application's access token is not valid"),
    29: Meaning(Throttled, "the method's limit is reached", HOUR),
    36: Meaning(Ambiguous, "VK took too long; it may have been sent"),
    42: Meaning(Misconfigured, "VK does not allow the access token from this IP address"),
    100: Meaning(Refused, "a parameter is missing or wrong"),
    105: Meaning(Refused, "VK could not save the file"),
    113: Meaning(Refused, "there is no such person"),
    129: Meaning(Refused, "VK does not take this photo"),
    203: Meaning(Misconfigured, "the access token is not of this community, or lacks the right to manage it"),
    900: Meaning(Refused, "the person is on the community's own blacklist"),
    901: Meaning(Stopped, "the person has not allowed the community's messages"),
    902: Meaning(Stopped, "the person's privacy settings forbid it"),
    910: Meaning(Refused, "the message is too big"),
    911: Meaning(KeyboardRefused, "the keyboard is not acceptable"),
    912: Meaning(KeyboardRefused, "keyboards need the bot features, which the community's settings switch on"),
    913: Meaning(Refused, "too many forwarded messages"),
    914: Meaning(Refused, "the text is too long"),
    917: Meaning(Refused, "the community has no access to this chat"),
    922: Meaning(Refused, "the community has left this chat"),
    924: Meaning(Refused, "the message cannot be taken back from everybody, or not any more"),
    927: Meaning(Refused, "the chat does not exist"),
    932: Meaning(Refused, "the community cannot write to this conversation"),
    935: Meaning(Refused, "the person is not in the chat"),
    936: Meaning(Refused, "there is no such contact"),
    940: Meaning(Refused, "too many posts in the message"),
    943: Meaning(WindowClosed, "the community may not use this intent"),
    944: Meaning(WindowClosed, "the intent's limit is used up"),
    945: Meaning(Refused, "the chat was switched off"),
    946: Meaning(Refused, "VK does not support this chat"),
    950: Meaning(WindowClosed, "the time to reply is over"),
    984: Meaning(Misconfigured, "VK has restricted the community for spam"),
    1012: Meaning(Refused, "nobody may write to this chat now"),
    1021: Meaning(Stopped, "the person has no conversation with the community"),
    1117: Meaning(Misconfigured, "the access token has expired"),
    2000: Meaning(Misconfigured, "the community has 10 callback servers already"),
    3610: Meaning(Refused, "the person has deactivated their page"),
}


def refusal(code: int, vk_text: str) -> SendError:
    """Return our error for one of VK's. Nothing was sent, unless the table says otherwise."""
    meaning = MEANINGS.get(code)
    if meaning is None:
        return Refused(f"VK {code}: {vk_text or 'no explanation'}")
    text = f"VK {code}: {meaning.words}" + (f" ({vk_text})" if vk_text else "")
    if issubclass(meaning.error, Unavailable):
        return meaning.error(text, meaning.pause)
    return meaning.error(text)


def too_many(server: str, pause: timedelta | None) -> Throttled:
    """Return the error for HTTP 429, which VK's API never sends: one of its servers did, or a proxy."""
    return Throttled(f"{server}: too many requests (HTTP 429)", pause or SECOND)

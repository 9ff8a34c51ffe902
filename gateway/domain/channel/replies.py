"""Stand-ins for buttons' replies that a provider does not give back as they are: too long, or twice in a message. Pure.

A stand-in is made of the reply itself, so that a mailing needs one for all its messages, and a message that is sent
again has the same. What it stands for is stored before it is sent.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256

from msgspec.structs import replace

from gateway.domain.channel.facts import Facts
from gateway.domain.model.nouns import Button, Content, TemplateMessage

Replies = dict[str, str]
"""Replies by what stands for them."""

STAND_IN = re.compile(r"(reply-[A-Za-z0-9_-]{22})(?:\.[0-9]{1,3})?")
"""The number of its button follows where another button of the message has the same reply."""

BYTES = 16


def stand_in(reply: str) -> str:
    """Return what stands for this reply: 28 characters that every provider takes."""
    return f"reply-{urlsafe_b64encode(sha256(reply.encode()).digest()[:BYTES]).decode().rstrip('=')}"


def read_stand_in(pressed: str | None) -> str | None:
    """Return the key under which the reply of a pressed button is stored; None if the button has its own."""
    found = STAND_IN.fullmatch(pressed or "")
    return found[1] if found else None


def with_stand_ins(message: Content | TemplateMessage, facts: Facts) -> tuple[Content | TemplateMessage, Replies]:
    """Return the message as the provider of these facts takes it, and the replies that others now stand for."""
    replies: Replies = {}
    if isinstance(message, TemplateMessage):
        answers = tuple(_fitting(button.reply, facts, replies) for button in message.buttons)
    else:
        answers = tuple(_distinct(message.buttons, facts, replies))
    if not replies:
        return message, replies
    pairs = zip(message.buttons, answers, strict=True)
    return replace(message, buttons=tuple(replace(button, reply=answer) for button, answer in pairs)), replies


def _distinct(buttons: Sequence[Button], facts: Facts, replies: Replies) -> Iterator[str]:
    """Yield a reply for each button, or "" for one that opens an address."""
    taken = set[str]()
    for number, button in enumerate(buttons):
        reply = "" if button.url else button.reply or button.text
        fitting = _fitting(reply, facts, replies)
        if reply in taken and facts.distinct_replies:
            replies[stand_in(reply)] = reply
            fitting = f"{stand_in(reply)}.{number}"
        if reply:
            taken.add(reply)
        yield fitting


def _fitting(reply: str, facts: Facts, replies: Replies) -> str:
    if not reply or facts.takes_reply(reply):
        return reply
    replies[stand_in(reply)] = reply
    return stand_in(reply)

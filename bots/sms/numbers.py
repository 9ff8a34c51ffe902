"""Recognises what can be a sender or a recipient of short messages."""

import re

PHONE = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
SERVICE = re.compile(r"MG[0-9a-f]{32}", re.IGNORECASE)
SHORT_CODE = re.compile(r"\d{3,8}", re.ASCII)
NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &_+-]{1,11}")
"""Twilio docs: Alphanumeric Sender ID."""

OF_CHANNEL = re.compile(r"^(?:rcs|whatsapp):(?=\+)", re.IGNORECASE)
"""What stands before the number of a person who writes by another channel. Twilio docs: channel addresses."""


def number_behind(sender: str) -> str:
    """Return a sender as short messages name them, by whichever of Twilio's channels they write: rcs:+7… is +7…"""
    return OF_CHANNEL.sub("", sender)


def is_phone(text: str) -> bool:
    """Tell whether this is a phone number in E.164."""
    return bool(PHONE.fullmatch(text))


def is_service(text: str) -> bool:
    """Tell whether this is the SID of a messaging service, which chooses among senders of its own."""
    return bool(SERVICE.fullmatch(text))


def is_sender(text: str) -> bool:
    """Tell whether messages can come from this: a number, a short code, a name, or a messaging service."""
    return any(kind.fullmatch(text) for kind in (PHONE, SERVICE, SHORT_CODE, NAME))

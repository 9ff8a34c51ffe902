"""What a person asks the bot for: parsed once for each event, the same in every messenger.

Consent hangs on it, so it is only what the person says, and says clearly: a slash command by its first word, any other
word only as the whole text. What a button says is its author's; only our own replies (`/stop`) make one a command.
"""

import re
from typing import NamedTuple

from gateway.domain.commands.keywords import keyword

SLASH = {"/start": "start", "/stop": "stop", "/help": "help"}
FIRST_WORD = re.compile(r"/\w{1,32}(?=@|\W*(?:\s|$))")
"""A slash command at the beginning of a text, with the punctuation that phones put after it. Groups write /stop@bot."""


class Command(NamedTuple):
    """A command and its argument: ("start", code), ("stop", ""), ("help", ""), or ("", the text)."""

    name: str
    argument: str


def read_command(text: str, pressed: str | None = None, start: str | None = None) -> Command:
    """Return the command in a message. A pressed button counts as its reply, whatever stands on it.

    `start` is the deep link's code where the provider itself says that the person has pressed Start.
    """
    if start is not None:
        return Command("start", start)
    text = (text if pressed is None else pressed).strip()
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    if name := read_slash(word):
        return Command(name, rest)
    if pressed is None and (name := keyword(text)):
        return Command(name, "")
    return Command("", text)


def is_slash(text: str) -> bool:
    """Tell whether a text begins with one of our slash commands."""
    return bool(read_slash(next(iter(text.split(maxsplit=1)), "")))


def read_slash(word: str) -> str:
    """Return the command that this first word of a text is: "start", "stop" or "help", or "" where it is none."""
    match = FIRST_WORD.match(word)
    return SLASH.get(match[0].lower(), "") if match else ""

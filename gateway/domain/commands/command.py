"""What a person asks the bot for: parsed once for each event, the same in every messenger."""

from typing import NamedTuple

from gateway.domain.commands.keywords import keyword

COMMANDS = {
    "/start": "start",
    "start": "start",
    "старт": "start",
    "начать": "start",
    "/stop": "stop",
    "stop": "stop",
    "стоп": "stop",
    "/help": "help",
    "help": "help",
    "помощь": "help",
}


class Command(NamedTuple):
    """A command and its argument: ("start", code), ("stop", ""), ("help", ""), or ("", the text)."""

    name: str
    argument: str


def read_command(text: str, pressed: str | None = None, start: str | None = None) -> Command:
    """Return the command in a message. A pressed button counts as its reply; Telegram's groups write /start@the_bot.

    `start` is the deep link's code where the provider itself says that the person has pressed Start.
    """
    if start is not None:
        return Command("start", start)
    text = (pressed or text).strip()
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    name = word.partition("@")[0].lower()
    if name not in COMMANDS and (optout := keyword(text)):
        return Command(optout, "")
    return Command(COMMANDS.get(name, ""), rest if name in COMMANDS else text)

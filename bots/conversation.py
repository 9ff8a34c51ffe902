"""The bot itself, the same in every messenger. Your own replaces `reply`: see GATEWAY_CONVERSATION in the README."""

from collections.abc import Awaitable, Callable

from bots.optout_keywords import goodbye, keyword
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Button, Content, Session

Conversation = Callable[[Inbound, Session], Awaitable[Content | None]]
"""Receives the normalised event and the current session; returns the answer, or None to stay silent.

After a crash it may be called again for the same event, but only its first answer is sent.
"""

MENU = (Button("Help", reply="/help"), Button("Stop", reply="/stop"))


def command(event: Inbound) -> tuple[str, str]:
    """Return the command in an event and its argument: ("start", code), ("stop", ""), ("help", ""), or ("", the text).

    A pressed button counts as its reply. Telegram's groups write /start@the_bot.
    """
    if event.start is not None:
        return "start", event.start
    text = (event.pressed or event.content.text).strip()
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    name = word.partition("@")[0].lower()
    if name not in COMMANDS and (subscription_command := keyword(text)):
        return subscription_command, ""
    return COMMANDS.get(name, ""), rest if name in COMMANDS else text


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


async def reply(event: Inbound, session: Session) -> Content | None:
    """Answer an event: greet, help, confirm an opt-out, or say that the message was not understood.

    Returns None for a reaction, which needs no answer.
    """
    name, _ = command(event)
    greeting = f", {session.name}" if session.name else ""
    match name:
        case "start":
            return Content(f"Hello{greeting}! You will get our notifications here. What would you like?", buttons=MENU)
        case "stop":
            return Content(goodbye(event.content.text, event.person.language))
        case "help":
            return Content(
                "/start - get notifications here\n/stop - get no more of them\n/help - this text",
                buttons=MENU,
            )
        case _ if event.kind == "reaction":
            return None
        case _:
            return Content("I did not understand that. Here is what I can do:", buttons=MENU)

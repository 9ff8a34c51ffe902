"""The bot itself, the same in every messenger. Yours replaces `reply`: see GATEWAY_CONVERSATION in the README."""

from collections.abc import Awaitable, Callable

from bots.optout_keywords import goodbye, wish
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Button, Content, Media, Session

__all__ = ["Button", "Content", "Conversation", "Inbound", "Media", "Session", "command", "reply"]

Conversation = Callable[[Inbound, Session], Awaitable[Content | None]]
"""Sees the normalised event and the session as it is now; returns what to answer, or None to stay silent.

It may be called again for the same event after a crash, but only its first answer is sent.
"""

MENU = (Button("Help", reply="/help"), Button("Stop", reply="/stop"))


def command(event: Inbound) -> tuple[str, str]:
    """The command in an event and its argument: ("start", code), ("stop", ""), ("help", ""), or ("", the text).

    A pressed button counts as its reply; Telegram's groups write /start@the_bot.
    """
    if event.start is not None:
        return "start", event.start
    text = (event.pressed or event.content.text).strip()
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    name = word.partition("@")[0].lower()
    if name not in COMMANDS and (wanted := wish(text)):
        return wanted, ""
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
    """The bundled conversation: greets, helps, lets people leave, and says so when it does not understand."""
    name, _ = command(event)
    who = f", {session.name}" if session.name else ""
    match name:
        case "start":
            return Content(f"Hello{who}! You will get our notifications here. What would you like?", buttons=MENU)
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

"""The bot itself, the same in every messenger. Your own replaces `reply`: see GATEWAY_CONVERSATION in the README."""

from collections.abc import Awaitable, Callable

from gateway.domain.commands.command import Command
from gateway.domain.commands.keywords import goodbye
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Button, Content, Media, Session

__all__ = ["Button", "Content", "Conversation", "Inbound", "Media", "Session", "command", "reply"]

Conversation = Callable[[Inbound, Session], Awaitable[Content | None]]
"""Receives the normalised event and the current session; returns the answer, or None to stay silent.

After a crash it may be called again for the same event, but only its first answer is sent. So it is with an album: each
file is an event, of the same `album`.
"""

MENU = (Button("Help", reply="/help"), Button("Stop", reply="/stop"))


def command(event: Inbound) -> Command:
    """Return the command in an event: ("start", code), ("stop", ""), ("help", ""), or ("", the text)."""
    return event.command


async def reply(event: Inbound, session: Session) -> Content | None:
    """Answer an event: greet, help, confirm an opt-out, or say that the message was not understood.

    Returns None for a reaction and for what is meant for programs (a form, an order, a payment): they need no answer.
    """
    greeting = f", {session.name}" if session.name else ""
    match event.command.name:
        case "start":
            return Content(f"Hello{greeting}! You will get our notifications here. What would you like?", buttons=MENU)
        case "stop":
            return Content(goodbye(event.said, event.person.language))
        case "help":
            return Content(
                "/start - get notifications here\n/stop - get no more of them\n/help - this text",
                buttons=MENU,
            )
        case _ if event.kind == "reaction" or event.content.data:
            return None
        case _:
            return Content("I did not understand that. Here is what I can do:", buttons=MENU)

"""A bot that says what it has heard: GATEWAY_CONVERSATION=tests.echo:reply."""

from gateway.event import Inbound
from gateway.model import Content, Session


async def reply(event: Inbound, session: Session) -> Content | None:
    return Content(f"You said: {event.content.text}")

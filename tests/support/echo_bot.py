"""A bot that says what it has heard: GATEWAY_CONVERSATION=tests.support.echo_bot:reply."""

from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Content, Session


async def reply(event: Inbound, session: Session) -> Content | None:
    return Content(f"You said: {event.content.text}")
